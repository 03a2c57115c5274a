/** @module A batch script for SLURM that runs a conversion on several machines. */
import type { Recipe } from '../recipe/index.js';
import { shellWord } from '../ui/index.js';
import type { Plan } from './make-plan.js';

export interface SbatchOptions {
  readonly recipe: Pick<Recipe, 'name'>;
  readonly plan: Pick<Plan, 'memoryBytes' | 'seconds'>;
  /** Machines, each with one process. */
  readonly nodes: number;
  /** The words of `byteify convert`, without the folder of the conversion. */
  readonly words: readonly string[];
}

const GIB = 2 ** 30;
/** What a plan's peak may miss: the batches that are prepared ahead, the program itself, a bucket of gradients. */
const MEMORY_MARGIN = 1.25;
/** Processes wait for each other, and rank 0 alone evaluates and writes. */
const TIME_MARGIN = 1.5;
/** Seconds before the time limit at which SLURM asks for a checkpoint. */
const WARNING_SECONDS = 300;

/** SLURM's form of a time, in whole hours. */
const hours = (seconds: number): string => `${Math.max(1, Math.ceil(seconds / 3600))}:00:00`;

/** @returns the text of the script */
export function sbatchScript({ recipe, plan, nodes, words }: SbatchOptions): string {
  const { memoryBytes, seconds } = plan;
  const time =
    seconds === null
      ? '# No time limit: byteify plan did not know how fast the machines are (--gflops).'
      : `#SBATCH --time=${hours((seconds / nodes) * TIME_MARGIN)}`;
  return `#!/bin/bash
# Converts with one process on each of ${nodes} machine${nodes === 1 ? '' : 's'}. Written by byteify plan --sbatch.
# The folder of the conversion must be on a file system that all machines share.
#SBATCH --job-name=${recipe.name.replaceAll(/[^\w.-]/g, '-')}
#SBATCH --nodes=${nodes}
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --mem=${Math.ceil((memoryBytes * MEMORY_MARGIN) / GIB)}G
${time}
#SBATCH --requeue
#SBATCH --open-mode=append
# Asks every process to save a checkpoint before the time is over.
#SBATCH --signal=TERM@${WARNING_SECONDS}

OUT=\${OUT:-"$SLURM_SUBMIT_DIR/${recipe.name}-blt"}

srun --kill-on-bad-exit=1 ${words.map(shellWord).join(' ')} --out "$OUT"
status=$?

# 143: stopped with a checkpoint, so the job continues in a later one.
if [ "$status" -eq 143 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
`;
}
