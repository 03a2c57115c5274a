/** @module What a stage of training is given. */
import type { BltConfig } from '../../blt/index.js';
import type { ByteStore } from '../../data/index.js';
import type { Recipe } from '../../recipe/index.js';
import type { StepReport } from '../loop/train-options.js';

export interface FinetuneOptions {
  /** BLT folders read as one, the first wins: the patcher's, then the remapped model's. Its config is the first's. */
  readonly from: readonly string[];
  /** The imported source, which distillation learns from; null when there is none. */
  readonly source: string | null;
  /** Gets the checkpoints of the last stage, metrics.jsonl and tfevents; earlier stages lie in `stage-I/`. */
  readonly run: string;
  /**
   * The conversion's folder: checkpoints read from there what no stage moves, instead of copying it. Left out, they share only what lies in the
   * run itself.
   */
  readonly conversion?: string;
  readonly recipe: Recipe;
  readonly store: ByteStore;
  /** Held-out texts. */
  readonly heldOut: readonly Uint8Array[];
  /** The source's bits per byte on the held-out texts, for the metrics beside the model's own; null when there is no source. */
  readonly sourceBitsPerByte: number | null;
  readonly settings: string;
  readonly signal: AbortSignal;
  readonly onStep?: (report: StepReport & { readonly stage: number }) => void;
}

export interface FinetuneReport {
  /** The last checkpoint. */
  readonly checkpoint: string;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What one stage is given. */
export interface StageContext extends FinetuneOptions {
  readonly stage: number;
  readonly config: BltConfig;
  /** What lies in this folder is not copied into checkpoints. */
  readonly root: string;
  /** Floating-point operations of the stages before. */
  readonly flopsBefore: number;
}
