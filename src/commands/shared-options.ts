/** @module Options that several verbs have. */
import { existsSync } from 'node:fs';
import { STAGE_NAMES, type StageName } from '../conversion/index.js';
import type { BackendName } from '../engine/index.js';
import { UsageError } from '../errors.js';
import type { HeldWeights } from '../model/index.js';
import { type OptionSpec, parsers } from './command.js';

/** Runs training operation by operation. */
export const eagerOption: OptionSpec = {
  flags: '--eager',
  help: 'run training operation by operation instead of compiled: slow, and what it fails at can be looked into',
};

export const recipeOptions: readonly OptionSpec[] = [
  { flags: '--recipe <name|file>', help: 'a shipped recipe or a YAML file; without it, sizes follow from the source' },
  { flags: '--set <key=value>', help: 'override one key of the recipe: stages.4.steps=50', repeatable: true },
];

export interface RecipeArgs {
  readonly recipe?: string;
  readonly set: readonly string[];
}

export interface TrainingArgs extends RecipeArgs {
  readonly eager?: boolean;
}

/** The overrides of a verb that trains. */
export function trainingOverrides({ set, eager }: TrainingArgs): readonly string[] {
  return eager === true ? [...set, 'hardware.mode=eager'] : set;
}

export const dataOption: OptionSpec = {
  flags: '--data <path...>',
  help: 'text to train on: files and folders of text or JSON lines, plain or compressed with gzip or zstd',
};

/** For verbs that read --data without a recipe that names it. */
export const textKeyOption: OptionSpec = {
  flags: '--text-key <key>',
  help: 'the key under which a JSON record holds its text',
  default: 'text',
};

export const revisionOption: OptionSpec = {
  flags: '--revision <rev>',
  help: 'branch, tag or commit of a hub model, as in org/name@rev; the manifest keeps the commit',
};

/** @throws UsageError for a revision of what has none, or has another. */
export function modelAt(model: string, revision: string | undefined): string {
  if (revision === undefined) return model;
  if (existsSync(model) || model.includes('@')) {
    throw new UsageError(`${model} takes no --revision.`, { hint: 'Give it with a hub id that names none: org/name.' });
  }
  return `${model}@${revision}`;
}

export const restartOption: OptionSpec = {
  flags: '--restart-from <stage>',
  help: 'redo this stage and what follows it',
  choices: STAGE_NAMES,
};

export interface RestartArgs {
  readonly restartFrom?: StageName;
}

/** As in a recipe: TensorFlow is told the number in one byte of its ConfigProto, whose varints hold 7 bits a byte. */
const MAXIMUM_THREADS = 127;

export const engineOptions: readonly OptionSpec[] = [
  // The list stands here too because the engine must not be loaded for --help; a test compares the two.
  {
    flags: '--backend <name>',
    help: 'what computes',
    choices: ['libtensorflow', 'tfjs-node-gpu'],
    default: 'libtensorflow',
  },
  {
    flags: '--threads <n>',
    help: 'cap on the threads of one operation, 127 at the most',
    parse: parsers.integer(1, MAXIMUM_THREADS),
    env: 'BYTEIFY_THREADS',
  },
];

export const weightsOption: OptionSpec = {
  flags: '--weights <type>',
  help: 'how weights are held: bfloat16 halves what each byte must read; by default as the checkpoint has them',
  choices: ['float32', 'bfloat16'],
};

export interface WeightsArgs {
  readonly weights?: HeldWeights;
}

export interface EngineArgs {
  readonly backend: BackendName;
  readonly threads?: number;
}

/** Starts the engine as the options say; the recipe's own thread count comes second. */
export async function startEngineFor({ backend, threads }: EngineArgs, recipeThreads?: number): Promise<void> {
  const { startEngine } = await import('../engine/index.js');
  const count = threads ?? recipeThreads;
  await startEngine({ backend, ...(count !== undefined && { threads: count }) });
}
