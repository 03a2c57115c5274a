/** @module The options of fine-tuning, and what each of its stages is given. */
import type { BltConfig } from '../../blt/index.js';
import type { ByteStore, DomainTexts } from '../../data/index.js';
import type { ProcessGroup } from '../../group/index.js';
import type { Recipe } from '../../recipe/index.js';
import type { Followers } from '../followers.js';
import type { SlowProcess } from '../loop/slow-process.js';
import type { StepReport } from '../loop/train-options.js';

export interface FinetuneOptions {
  /**
   * BLT folders, read as one model in which the first folder wins: the patcher's, then the remapped model's. The config is that of the first.
   */
  readonly from: readonly string[];
  /** The folder of the imported source, from which distillation learns; null if there is none. */
  readonly source: string | null;
  /** The folder for the last stage's checkpoints, metrics.jsonl and event files. Stage I before it uses `stage-I/` inside. */
  readonly run: string;
  /**
   * The conversion folder. Checkpoints refer to untrained tensors inside it instead of copying them. By default only tensors inside `run` are
   * shared.
   */
  readonly conversion?: string;
  readonly recipe: Recipe;
  readonly store: ByteStore;
  /** Held-out texts of each domain, on which the model is evaluated. */
  readonly heldOut: readonly DomainTexts[];
  /** The source's bits per byte on those of text domains, logged beside the model's own; null if there is no source. */
  readonly sourceBitsPerByte: number | null;
  readonly settings: string;
  readonly signal: AbortSignal;
  /** The processes that train with this one; null if it trains alone. */
  readonly followers?: Followers | null;
  readonly onSlowProcess?: (slow: SlowProcess) => void;
  readonly onStep?: (report: StepReport & { readonly stage: number }) => void;
}

export interface FinetuneReport {
  /** The folder of the last checkpoint. */
  readonly checkpoint: string;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What one stage is given. */
export interface StageContext extends Omit<FinetuneOptions, 'followers'> {
  /** The processes that train together, this one included; null if it trains alone. */
  readonly group: ProcessGroup | null;
  readonly stage: number;
  readonly config: BltConfig;
  /** Checkpoints refer to tensors inside this folder instead of copying them. */
  readonly root: string;
  /** Whether the stage loads the source's layers in addition to the latent global transformer, which is trained now or was before. */
  readonly loadsSourceLayers: boolean;
  /** Floating-point operations of all earlier stages. */
  readonly flopsBefore: number;
}
