/** @module What one training stage costs: operations, memory, checkpoints on disk, time. */

import type { BltConfig, Part } from '../blt/index.js';
import { forwardFlops, type TextShape, trainingFlops } from './flops.js';
import { type MemoryQuestion, type TrainingMemory, trainingMemory } from './memory.js';
import { type PartParameters, sumParameters } from './parameters.js';

/** What a stage's memory depends on beside its sizes. */
type HowItTrains = Pick<MemoryQuestion, 'precision' | 'gradientCheckpointing' | 'optimizerState' | 'adapterParameters'>;

/** A training stage in the plan's terms. */
export interface TrainingWork extends HowItTrains {
  readonly name: string;
  readonly steps: number;
  readonly rowBytes: number;
  readonly rowsPerStep: number;
  /** Rows whose activations are in memory at once. */
  readonly microBatchRows: number;
  readonly bytesPerPatch: number;
  /** Parts whose weights change. The patcher alone is a byte language model of its own; otherwise it only cuts the text. */
  readonly trains: readonly Part[];
  readonly keepCheckpoints: number;
}

export interface StageCost {
  readonly stage: string;
  readonly trainedParameters: number;
  readonly bytes: number;
  readonly flopsPerByte: number;
  readonly flops: number;
  readonly memory: TrainingMemory;
  readonly diskBytes: number;
  /** Null when no rate is known. */
  readonly seconds: number | null;
}

/** In the order of the forward pass. */
const MODEL_PARTS = ['hash', 'encoder', 'global', 'decoder', 'head'] as const satisfies readonly Part[];

/**
 * @param params.frozenWeightBytes a frozen matrix's, as the checkpoint has it
 * @param params.flopsPerSecond sustained; null when unknown
 */
export function trainingStageCost(params: {
  config: BltConfig;
  counts: PartParameters;
  work: TrainingWork;
  frozenWeightBytes: 2 | 4;
  flopsPerSecond: number | null;
}): StageCost {
  const { config, counts, work, frozenWeightBytes, flopsPerSecond } = params;
  const patcherAlone = work.trains.every((part) => part === 'patcher');
  const text: TextShape = { bytes: work.rowBytes, bytesPerPatch: work.bytesPerPatch };
  const used: readonly Part[] = patcherAlone ? ['patcher'] : [...MODEL_PARTS, 'patcher'];
  const trainedParameters = sumParameters(counts, work.trains) + work.adapterParameters;
  const bytes = work.steps * work.rowsPerStep * work.rowBytes;
  const flopsPerByte = patcherAlone ? patcherFlops(config, text) : modelFlops(config, text, work.trains);
  const flops = bytes * flopsPerByte;
  const memory = trainingMemory({
    ...work,
    config,
    counts,
    text,
    rows: Math.min(work.microBatchRows, work.rowsPerStep),
    frozenWeightBytes,
  });
  // A checkpoint is a whole model in float32, with the two moments of what is trained.
  const checkpointBytes = 4 * sumParameters(counts, used) + 8 * trainedParameters;
  return {
    stage: work.name,
    trainedParameters,
    bytes,
    flopsPerByte,
    flops,
    memory,
    diskBytes: work.keepCheckpoints * checkpointBytes,
    seconds: flopsPerSecond === null ? null : flops / flopsPerSecond,
  };
}

function patcherFlops(config: BltConfig, text: TextShape): number {
  return trainingFlops(forwardFlops(config, text).patcher, 'trained');
}

/** The patcher runs forward only, and so do the parts before the first trained one: no gradient goes further back. */
function modelFlops(config: BltConfig, text: TextShape, trains: readonly Part[]): number {
  const forward = forwardFlops(config, text);
  const first = MODEL_PARTS.findIndex((part) => trains.includes(part));
  let flops = trainingFlops(forward.patcher, 'forward-only');
  for (const [index, part] of MODEL_PARTS.entries()) {
    // Looking rows up and adding them is no matrix product.
    if (part === 'hash') continue;
    const role = trains.includes(part) ? 'trained' : index > first ? 'frozen' : 'forward-only';
    flops += trainingFlops(forward[part], role);
  }
  return flops;
}
