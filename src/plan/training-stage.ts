/** @module What one training stage costs: operations, memory, checkpoints on disk, time. */

import {
  type BltConfig,
  closedFormFlops,
  type Part,
  type SourceShape,
  type StageShape,
  stageFlops,
  stageRuns,
  type TextShape,
  trainedParts,
} from '../blt/index.js';
import { type MemoryQuestion, type TrainingMemory, trainingMemory } from './memory.js';
import { type PartParameters, sumParameters } from './parameters.js';
import { statesCacheBytes } from './source-memory.js';

/** What a stage's memory depends on beside its sizes. */
type HowItTrains = Pick<MemoryQuestion, 'precision' | 'gradientCheckpointing' | 'optimizerState' | 'adapterParameters'>;

/** A training stage in the plan's terms. */
export interface TrainingWork extends HowItTrains {
  readonly name: string;
  readonly stage: StageShape;
  /** Of the optimizer; none in closed form. */
  readonly steps: number;
  /** Matrix products of one optimizer step: Muon's. */
  readonly optimizerFlops: number;
  /** Text that is read, again and again where it is short. */
  readonly bytes: number;
  /** Of a closed form: what is solved on. */
  readonly solveBytes: number | null;
  readonly rowBytes: number;
  readonly rowsPerStep: number;
  /** Rows whose activations are in memory at once. */
  readonly microBatchRows: number;
  readonly bytesPerPatch: number;
  readonly keepCheckpoints: number;
  /** Disk that the source's states may take; 0 where none are kept. */
  readonly sourceStatesCacheBytes: number;
}

export interface StageCost {
  readonly stage: string;
  readonly trainedParameters: number;
  readonly steps: number;
  readonly bytes: number;
  /** The source's included. */
  readonly flopsPerByte: number;
  /** Of the source, its states computed for all of the text: the most, as cached ones are not computed again. */
  readonly sourceFlopsPerByte: number;
  readonly flops: number;
  readonly memory: TrainingMemory;
  readonly diskBytes: number;
  /** Null when no rate is known. */
  readonly seconds: number | null;
}

/** The parts that a checkpoint of a stage holds, in float32: what it moved. The others are read from where they lie in the conversion. */
function writtenParts(stage: StageShape, adapts: boolean): readonly Part[] {
  if (stage.kind === 'closed-form') return ['encoder', 'hash', 'decoder', 'head'];
  const moved = trainedParts(stageRuns(stage));
  return adapts ? [...moved, 'global'] : moved;
}

/**
 * @param params.frozenWeightBytes a frozen matrix's, as the checkpoint has it
 * @param params.flopsPerSecond sustained; null when unknown
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
    work.solveBytes === null
      ? bytes * perByte + work.steps * work.optimizerFlops
      : closedFormFlops({ config, text, source, textBytes: bytes, solveBytes: work.solveBytes });
  const memory = trainingMemory({
    ...work,
    config,
    counts,
    source,
    text,
    rows: Math.min(work.microBatchRows, work.rowsPerStep),
    frozenWeightBytes,
  });
  const written = sumParameters(counts, writtenParts(stage, work.adapterParameters > 0));
  // The two moments of what is trained; an adapter lies beside them, and is merged into what is written.
  const checkpointBytes = 4 * written + 8 * trainedParameters + 4 * work.adapterParameters;
  const cacheBytes = statesCacheBytes({ config, source, bytes, budget: work.sourceStatesCacheBytes });
  return {
    stage: work.name,
    trainedParameters,
    steps: work.steps,
    bytes,
    flopsPerByte: flops / bytes,
    sourceFlopsPerByte: sourceStates + sourceHead,
    flops,
    memory,
    diskBytes: work.keepCheckpoints * checkpointBytes + (stageRuns(stage).source.states ? cacheBytes : 0),
    seconds: flopsPerSecond === null ? null : flops / flopsPerSecond,
  };
}
