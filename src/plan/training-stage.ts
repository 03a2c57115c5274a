/** @module Predicts the cost of one training stage: operations, memory, checkpoints on disk, time. */

import {
  type BltConfig,
  type ClosedFormWork,
  closedFormFlops,
  expectedPositions,
  type Part,
  type SourceShape,
  type StageShape,
  stageFlops,
  stageRuns,
  type TextShape,
  trainedParts,
} from '../blt/index.js';
import { type MemoryInputs, type TrainingMemory, trainingMemory } from './memory.js';
import { type PartParameters, sumParameters } from './parameters.js';
import { statesCacheBytes } from './source-memory.js';
import { minimumTrafficBytes } from './traffic.js';

/** The settings, other than sizes, on which a stage's memory depends. */
type HowItTrains = Pick<
  MemoryInputs,
  'precision' | 'gradientCheckpointing' | 'optimizerState' | 'muon' | 'adapterParameters' | 'loadsSourceLayers'
>;

/** A training stage as a work item of the plan. */
export interface TrainingWork extends HowItTrains {
  readonly name: string;
  readonly stage: StageShape;
  /** Optimizer steps; 0 for a closed-form stage. */
  readonly steps: number;
  /** Bytes of text that are read, counting repetitions. */
  readonly bytes: number;
  /** The settings of a closed-form stage; null for other stages. */
  readonly closedForm: Omit<ClosedFormWork, 'patchEnds' | 'positions'> | null;
  readonly rowBytes: number;
  readonly rowsPerStep: number;
  /** Rows whose activations are in memory at once. */
  readonly microBatchRows: number;
  readonly bytesPerPatch: number;
  readonly keepCheckpoints: number;
  /** Disk budget for the source's cached states, in bytes; 0 for no cache. */
  readonly sourceStatesCacheBytes: number;
}

export interface StageCost {
  readonly stage: string;
  readonly trainedParameters: number;
  readonly steps: number;
  readonly bytes: number;
  /** FLOPs per byte, including the source's. */
  readonly flopsPerByte: number;
  /** The source's FLOPs per byte if its states are computed for all of the text: an upper bound, since cached states are not computed again. */
  readonly sourceFlopsPerByte: number;
  readonly flops: number;
  readonly memory: TrainingMemory;
  /** Bytes of text in a micro-batch, and the least that its forward and backward pass read and write in a device's memory. */
  readonly microBatch: { readonly textBytes: number; readonly trafficBytes: number };
  readonly diskBytes: number;
  /** Null when no rate is known. */
  readonly seconds: number | null;
}

/** The parts in a stage's checkpoint, in float32: those that it trains. The others are read from elsewhere in the conversion folder. */
function writtenParts(stage: StageShape, adapts: boolean): readonly Part[] {
  if (stage.kind === 'closed-form') return ['encoder', 'hash', 'decoder', 'head'];
  const moved = trainedParts(stageRuns(stage));
  return adapts ? [...moved, 'global'] : moved;
}

/**
 * Predicts the cost of one training stage.
 * @param params.frozenWeightBytes bytes per weight of a frozen matrix, as stored in the checkpoint
 * @param params.flopsPerSecond the sustained rate; null when unknown
 */
export function trainingStageCost(params: {
  config: BltConfig;
  counts: PartParameters;
  source: SourceShape;
  work: TrainingWork;
  frozenWeightBytes: 2 | 4;
  flopsPerSecond: number | null;
}): StageCost {
  const { config, counts, source, work, frozenWeightBytes, flopsPerSecond } = params;
  const { stage, bytes } = work;
  const text: TextShape = { bytes: work.rowBytes, bytesPerPatch: work.bytesPerPatch };
  const trainedParameters = sumParameters(counts, trainedParts(stageRuns(stage))) + work.adapterParameters;
  const { model, sourceStates, sourceHead } = stageFlops({ config, text, source, stage });
  const perByte = model + sourceStates + sourceHead;
  const flops =
    work.closedForm === null
      ? bytes * perByte + work.steps * work.muon.flopsPerStep
      : closedFormFlops({
          ...{ config, text, source },
          work: { ...work.closedForm, ...expectedPositions(work.closedForm, work.bytesPerPatch, source) },
        });
  const rows = Math.min(work.microBatchRows, work.rowsPerStep);
  const memoryInputs = { ...work, config, counts, source, text, rows, frozenWeightBytes };
  const written = sumParameters(counts, writtenParts(stage, work.adapterParameters > 0));
  // The moments of the trained parameters are stored too, and so are adapters, beside the weights into which they are merged.
  const moments = 2 * trainedParameters - work.muon.parameters;
  const checkpointBytes = 4 * (written + moments + work.adapterParameters);
  const cacheBytes = statesCacheBytes({ config, source, bytes, budget: work.sourceStatesCacheBytes });
  return {
    stage: work.name,
    trainedParameters,
    steps: work.steps,
    bytes,
    flopsPerByte: flops / bytes,
    sourceFlopsPerByte: sourceStates + sourceHead,
    flops,
    memory: trainingMemory(memoryInputs),
    microBatch: { textBytes: rows * work.rowBytes, trafficBytes: minimumTrafficBytes(memoryInputs) },
    diskBytes: work.keepCheckpoints * checkpointBytes + (stageRuns(stage).source.states ? cacheBytes : 0),
    seconds: flopsPerSecond === null ? null : flops / flopsPerSecond,
  };
}
