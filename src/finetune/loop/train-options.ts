/** @module What the training loop is given, and what it gives. */
import type { BltConfig } from '../../blt/index.js';
import type { StoredSplit } from '../../data/index.js';
import type { Precision, RunMode, Variable } from '../../engine/index.js';
import type { Params } from '../../model/index.js';
import type { TensorReader } from '../../safetensors/index.js';
import type { SourceSettings } from '../batches/batch-preparer.js';
import type { StepBatch } from '../batches/step-batch.js';
import type { AdamWOptions, Moments } from '../optimizers/adamw.js';
import type { Objective } from '../stages/objective.js';
import type { GroupRates } from './checkpoint.js';

/** The settings of a stage, in the terms of the loop. */
export interface TrainingPlan extends AdamWOptions, GroupRates {
  readonly steps: number;
  readonly rowBytes: number;
  readonly rowsPerStep: number;
  /** Rows whose activations are in memory at once. */
  readonly microBatchRows: number;
  readonly learningRateAt: (step: number) => number;
  readonly clipNorm: number;
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly keepCheckpoints: number;
  /** Storage type of the optimizer's moments. */
  readonly moments: Moments;
  /** `auto` measures what is faster. */
  readonly mode: RunMode | 'auto';
  /** Of matrix products. */
  readonly precision: Precision;
  /** Keep only each layer's input for the backward pass. */
  readonly gradientCheckpointing: boolean;
  /** Disk that the source's states may take. */
  readonly sourceStatesCacheBytes: number;
}

/** The source of a distillation. */
export interface TrainingSource extends Omit<SourceSettings, 'targets'> {
  /** Its tensors beside the model's own; the loop disposes them. */
  readonly tensors: ReadonlyMap<string, Variable>;
}

export interface StepReport {
  /** Counts from 1. */
  readonly step: number;
  readonly steps: number;
  /** As metrics.jsonl has them; the first is what the run is watched by. */
  readonly losses: Readonly<Record<string, number>>;
  readonly bytesPerSecond: number;
}

export interface TrainOptions {
  readonly objective: Objective;
  readonly config: BltConfig;
  /** The model as it was before step 1. */
  readonly start: TensorReader;
  readonly plan: TrainingPlan;
  readonly data: StoredSplit;
  /** What the objective's targets come from; null where it has none. */
  readonly source?: TrainingSource | null;
  /** Floating-point operations before this run. */
  readonly flopsBefore?: number;
  /** Floating-point operations of a step. */
  readonly flopsOf: (batch: StepBatch) => number;
  /** The folder of checkpoints, metrics.jsonl and tfevents. A run that is there already is resumed. */
  readonly run: string;
  /** The folder of the conversion: checkpoints refer to what is inside it instead of copying it. */
  readonly root: string;
  readonly seed: number;
  /** A digest of the settings that must not change when a run is resumed. */
  readonly settings: string;
  readonly signal: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  /** Measures the model on held-out text; the names carry units. */
  readonly validate?: (params: Params) => Promise<Readonly<Record<string, number>>>;
}

/** The trained and the frozen parameters, which the caller disposes, and the last metrics. */
export interface TrainResult {
  readonly params: Params;
  readonly metrics: Readonly<Record<string, number>>;
}
