/** @module The options and the result of the training loop. */
import type { BltConfig } from '../../blt/index.js';
import type { StoredSplit } from '../../data/index.js';
import type { Precision, RunMode, Variable } from '../../engine/index.js';
import type { ProcessGroup } from '../../group/index.js';
import type { Params } from '../../model/index.js';
import type { TensorReader } from '../../safetensors/index.js';
import type { SourceSettings } from '../batches/batch-preparer.js';
import type { StepBatch } from '../batches/step-batch.js';
import type { TokenIds } from '../batches/token-alphabet.js';
import type { AdamWOptions, Moments } from '../optimizers/adamw.js';
import type { Objective } from '../stages/objective.js';
import type { GroupRates } from './checkpoint.js';
import type { SlowProcess } from './slow-process.js';

/** The settings of a stage, in the units of the training loop. */
export interface TrainingPlan extends AdamWOptions, GroupRates {
  readonly steps: number;
  readonly rowBytes: number;
  readonly rowsPerStep: number;
  /** The number of rows whose activations are in memory at the same time. */
  readonly microBatchRows: number;
  readonly learningRateAt: (step: number) => number;
  readonly clipNorm: number;
  /** The share of positions at which n-grams above a random size look up random rows. */
  readonly ngramDropout: number;
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly keepCheckpoints: number;
  /** Storage type of the optimizer's moments. */
  readonly moments: Moments;
  /** `auto` measures which mode is faster. */
  readonly mode: RunMode | 'auto';
  /** Of matrix products. */
  readonly precision: Precision;
  /** Keeps only each layer's input for the backward pass and recomputes the rest. */
  readonly gradientCheckpointing: boolean;
  /** How much disk space the cache of the source's states may take. */
  readonly sourceStatesCacheBytes: number;
}

/** The source of a distillation. */
export interface TrainingSource extends Omit<SourceSettings, 'targets'> {
  /** The source's tensors, which the loop disposes. */
  readonly tensors: ReadonlyMap<string, Variable>;
  /** The source's layers, if the latent global transformer does not have them; otherwise empty. The loop disposes them. */
  readonly layers: ReadonlyMap<string, Variable>;
}

export interface StepReport {
  /** Counts from 1. */
  readonly step: number;
  readonly steps: number;
  /** By their names in metrics.jsonl; the first is the one shown as progress. */
  readonly losses: Readonly<Record<string, number>>;
  readonly bytesPerSecond: number;
}

export interface TrainOptions {
  readonly objective: Objective;
  readonly config: BltConfig;
  /** The model before step 1. */
  readonly start: TensorReader;
  readonly plan: TrainingPlan;
  readonly data: StoredSplit;
  /** How the text is read as tokens, for a model that is no byte model. */
  readonly tokens?: TokenIds;
  /** The source that the objective's targets are made from; null if it has none. */
  readonly source?: TrainingSource | null;
  /** Floating-point operations spent before this run. */
  readonly flopsBefore?: number;
  /** Floating-point operations of one step. */
  readonly flopsOf: (batch: StepBatch) => number;
  /** The folder of checkpoints, metrics.jsonl and event files. A run that exists there is resumed. */
  readonly run: string;
  /** The conversion folder: checkpoints refer to tensors inside it instead of copying them. */
  readonly root: string;
  readonly seed: number;
  /** A digest of the settings that must not change when a run is resumed. */
  readonly settings: string;
  readonly signal: AbortSignal;
  /** The processes that train together, all of which call `train` with the same settings; null if this one trains alone. */
  readonly group?: ProcessGroup | null;
  /** Told once about a process that all others wait for. */
  readonly onSlowProcess?: (slow: SlowProcess) => void;
  readonly onStep?: (report: StepReport) => void;
  /** Evaluates the model on held-out text. Metric names include their units. */
  readonly validate?: (params: Params) => Promise<Readonly<Record<string, number>>>;
}

/** All parameters, trained and frozen, which the caller disposes, and the metrics of the last evaluation. */
export interface TrainResult {
  readonly params: Params;
  readonly metrics: Readonly<Record<string, number>>;
}
