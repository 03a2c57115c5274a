/** @module Options shared by several verbs. */
import { existsSync } from 'node:fs';
import { STAGE_NAMES, type StageName } from '../conversion/index.js';
import type { Cluster } from '../engine/index.js';
import { DEVICE_OPTIONS, type DeviceOption } from '../engine/setup/device-names.js';
import { UsageError } from '../errors.js';
import type { WeightsType } from '../model/index.js';
// Not the folder's index, which loads the hub's client.
import { type Budget, parseBudget } from '../plan/budget/parse-budget.js';
import { type OptionSpec, parsers } from './command.js';

/** Runs training operation by operation. */
export const eagerOption: OptionSpec = {
  flags: '--eager',
  help: 'run training operation by operation instead of compiled: slow, but easier to debug',
};

export const recipeOptions: readonly OptionSpec[] = [
  { flags: '--recipe <name|file>', help: 'a shipped recipe or a YAML file (default: sizes derived from the source)' },
  {
    flags: '--set <key=value>',
    help: 'override one key of the recipe, for example stages.1.steps=50',
    repeatable: true,
  },
];

export interface RecipeArgs {
  readonly recipe?: string;
  readonly set: readonly string[];
}

export interface TrainingArgs extends RecipeArgs {
  readonly eager?: boolean;
}

/** The recipe overrides of a verb that trains. */
export function trainingOverrides({ set, eager }: TrainingArgs): readonly string[] {
  return eager === true ? [...set, 'hardware.mode=eager'] : set;
}

export const budgetOption: OptionSpec = {
  flags: '--budget <amount>',
  help: 'choose the steps of every stage for a training time (30m, 8h) or FLOPs (500T, 5e14); steps given by --set stay',
  parse: parseBudget,
};

export interface BudgetArgs {
  readonly budget?: Budget;
}

export const dataOption: OptionSpec = {
  flags: '--data <path...>',
  help: 'text to train on: files and folders of text, JSON lines (both plain or compressed with gzip or zstd) or Parquet; NAME=PATH for a domain of the recipe',
};

/** For verbs that read --data without a recipe that names the key. */
export const textKeyOption: OptionSpec = {
  flags: '--text-key <key>',
  help: 'key of the text in a JSON record, or column of a Parquet file',
  default: 'text',
};

export const revisionOption: OptionSpec = {
  flags: '--revision <rev>',
  help: 'branch, tag or commit of a hub model, as in org/name@rev; the manifest records the commit',
};

/** A hub id with its revision. @throws UsageError when the model is a local path, or its id already names a revision. */
export function modelAt(model: string, revision: string | undefined): string {
  if (revision === undefined) return model;
  if (existsSync(model) || model.includes('@')) {
    throw new UsageError(`${model} takes no --revision.`, {
      hint: 'Use it with a hub id that has no revision: org/name.',
    });
  }
  return `${model}@${revision}`;
}

export const restartOption: OptionSpec = {
  flags: '--restart-from <stage>',
  help: 'redo this stage and all later ones',
  choices: STAGE_NAMES,
};

export interface RestartArgs {
  readonly restartFrom?: StageName;
}

/** The same limit as in a recipe: the number takes one byte of TensorFlow's ConfigProto, whose varints hold 7 bits per byte. */
const MAXIMUM_THREADS = 127;

/** More than one process can have. */
const MAXIMUM_DEVICES = 1024;

export const devicesOption: OptionSpec = {
  flags: '--devices <n>',
  help: 'number of GPUs that share the work (default: 1); cpu-xla divides the CPU',
  parse: parsers.integer(1, MAXIMUM_DEVICES),
  env: 'BYTEIFY_DEVICES',
};

export const fullyShardedOption: OptionSpec = {
  flags: '--fully-sharded',
  help: 'divide weights, gradients and moments over the devices, instead of keeping them whole on each',
};

export const engineOptions: readonly OptionSpec[] = [
  {
    flags: '--device <name>',
    help: 'what computes; auto takes a GPU that `byteify setup --gpu` has set up, else the CPU',
    choices: DEVICE_OPTIONS,
    default: 'auto',
    env: 'BYTEIFY_DEVICE',
  },
  { flags: '--plugin <file>', help: 'the PJRT plugin of the device, instead of the one that is set up' },
  devicesOption,
  fullyShardedOption,
  {
    flags: '--threads <n>',
    help: 'maximum number of threads per operation, up to 127',
    parse: parsers.integer(1, MAXIMUM_THREADS),
    env: 'BYTEIFY_THREADS',
  },
];

export const weightsOption: OptionSpec = {
  flags: '--weights <type>',
  help: 'type of the weights in memory; bfloat16 halves the memory read per byte (default: the checkpoint’s type)',
  choices: ['float32', 'bfloat16'],
};

export interface WeightsArgs {
  readonly weights?: WeightsType;
}

export interface EngineArgs {
  readonly device: DeviceOption;
  readonly plugin?: string;
  readonly devices?: number;
  readonly fullySharded?: boolean;
  readonly threads?: number;
}

/**
 * Starts the engine with these options; `--threads` takes precedence over the recipe's thread count.
 * @param cluster the processes that compute together, if there are several
 */
export async function startEngineFor(
  { device, plugin, devices, fullySharded, threads }: EngineArgs,
  recipeThreads?: number,
  cluster?: Cluster,
): Promise<void> {
  const { startEngine } = await import('../engine/index.js');
  const count = threads ?? recipeThreads;
  await startEngine({
    device,
    ...(plugin !== undefined && { plugin }),
    ...(devices !== undefined && { devices }),
    ...(fullySharded !== undefined && { fullySharded }),
    ...(count !== undefined && { threads: count }),
    ...(cluster !== undefined && { cluster }),
  });
}
