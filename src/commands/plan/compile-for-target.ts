/** @module `plan --target`: what XLA says of each stage on a GPU that need not be present. */
import { type CompiledStage, fits, largestProgram, type Target, type TracedStage } from '../../accelerator/index.js';
import type { LlamaConfig } from '../../llama/index.js';
import type { Recipe } from '../../recipe/index.js';
import { humanBytes, renderTable } from '../../ui/index.js';
import type { Context } from '../command.js';

export interface TargetOptions {
  readonly target: Target;
  readonly devices: number;
  readonly fullySharded: boolean;
}

/** A stage that takes gradient steps, as it was compiled. */
export interface StageOnTarget {
  readonly stage: string;
  readonly compiled: CompiledStage;
}

/** What is compiled: a closed-form stage runs many small programs instead of a step. */
function stagesOf({ stages }: Recipe): { readonly name: string; readonly stage: TracedStage }[] {
  const steps = stages.flatMap(({ kind }, stage) =>
    kind === 'closed-form' ? [] : [{ name: `finetune ${stage} ${kind}`, stage }],
  );
  return [{ name: 'patcher', stage: 'patcher' }, ...steps, { name: 'decoding', stage: 'decoding' }];
}

/**
 * Compiles the recipe's stages one after the other. The first time, the compiler is downloaded.
 * @throws ByteifyError when a stage does not compile
 */
export async function compileForTarget(
  { reporter, signal }: Context,
  recipe: Recipe,
  source: LlamaConfig,
  { target, devices, fullySharded }: TargetOptions,
): Promise<readonly StageOnTarget[]> {
  const { compileStageInProcess } = await import('../../accelerator/index.js');
  const { setUpCompiler } = await import('../../engine/index.js');
  const plugin = await setUpCompiler({
    signal,
    onProgress: ({ project, doneBytes, totalBytes }) =>
      reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes', detail: project }),
  });
  const stages = stagesOf(recipe);
  const compiled: StageOnTarget[] = [];
  for (const [done, { name, stage }] of stages.entries()) {
    reporter.progress({ done, total: stages.length, unit: 'stages', detail: name });
    const layout = { devices, dividesVariables: fullySharded };
    const request = { recipe, source, stage, layout, plugin, targets: [target] };
    const [found] = await compileStageInProcess(request, signal);
    compiled.push({ stage: name, compiled: found! });
  }
  return compiled;
}

const right = (title: string) => ({ title, align: 'right' as const });

/** A table of what the compiler says. */
export function renderTarget(stages: readonly StageOnTarget[], { target, devices }: TargetOptions): string {
  return renderTable(
    [
      { title: devices === 1 ? `on ${target}` : `on each of ${devices} x ${target}` },
      ...['compiled in', 'weights and inputs', 'temporary', 'peak', 'of'].map(right),
      { title: '' },
    ],
    stages.map(({ stage, compiled }) => {
      const { argumentBytes, otherBytes, temporaryBytes, peakBytes } = largestProgram(compiled);
      return [
        stage,
        `${compiled.compileSeconds.toFixed(0)} s`,
        ...[argumentBytes + otherBytes, temporaryBytes, peakBytes, compiled.deviceBytes].map(humanBytes),
        fits(compiled) ? 'fits' : 'does not fit',
      ];
    }),
  );
}

/** The same for `--json`. */
export const targetDocument = (stages: readonly StageOnTarget[], options: TargetOptions) => ({
  target: options.target,
  devices: options.devices,
  fully_sharded: options.fullySharded,
  stages: stages.map(({ stage, compiled }) => ({
    stage,
    fits: fits(compiled),
    device_bytes: compiled.deviceBytes,
    compile_seconds: compiled.compileSeconds,
    programs: compiled.programs.map((program) => ({
      peak_bytes: program.peakBytes,
      argument_bytes: program.argumentBytes,
      other_bytes: program.otherBytes,
      temporary_bytes: program.temporaryBytes,
      trains: program.changesVariables,
      kernels: program.kernels,
      fusions: program.fusions,
      traffic_bytes: program.trafficBytes,
      library_calls: program.libraryCalls,
      collectives: program.collectives,
    })),
  })),
});
