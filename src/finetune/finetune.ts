/** @module Runs a recipe's stages: from the remapped model and its patcher to the last checkpoint of the run. */
import { join } from 'node:path';
import type { BltConfig } from '../blt/index.js';
import type { ByteStore } from '../data/index.js';
import { UsageError } from '../errors.js';
import { readBltConfig } from '../model/index.js';
import type { Recipe, RecipeStage } from '../recipe/index.js';
import { checkpointName } from './checkpoint.js';
import { closedForm } from './closed-form/closed-form.js';
import { openDistillSource } from './distill-source.js';
import { measureEncoder } from './measure-encoder.js';
import type { StepReport } from './train.js';
import { runTrainingStage } from './training-stage.js';

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

/** Stages after which the encoder can be judged by what the source makes of its patches. */
const SPEAKS_TO_SOURCE: readonly RecipeStage['kind'][] = ['closed-form', 'align-encoder'];

/** Gradient steps that a stage takes: its checkpoint's number. */
const stepsOf = (stage: RecipeStage): number => (stage.kind === 'closed-form' ? 0 : stage.steps);

/**
 * Runs the stages in order; those that are done are passed over.
 * @throws the signal's reason after a checkpoint when stopped; ByteifyError when training diverges; UsageError when a stage needs a source
 * and there is none.
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneReport> {
  const { recipe, run, from, conversion: root = run } = options;
  const config = await readBltConfig(from[0]!);
  const needsSource = recipe.stages.find(({ kind }) => kind !== 'end-to-end');
  if (needsSource !== undefined && options.source === null) {
    throw new UsageError(`A stage of kind ${needsSource.kind} learns from the source, and this folder has none.`, {
      hint: 'Run it in a conversion folder, or leave only end-to-end stages in the recipe.',
    });
  }
  const source = needsSource === undefined ? null : await openDistillSource(options.source!, from[0]!);
  let metrics: Readonly<Record<string, number>> = {};
  let encoder: Readonly<Record<string, number>> = {};
  let before: readonly string[] = from;
  try {
    for (const [stage, settings] of recipe.stages.entries()) {
      const last = stage === recipe.stages.length - 1;
      const folder = last ? run : join(run, `stage-${stage}`);
      const context = { ...options, from: before, run: folder, root, stage, config, flopsBefore: metrics.flops ?? 0 };
      metrics = await (settings.kind === 'closed-form'
        ? closedForm(context, settings, source!)
        : runTrainingStage(context, settings, source));
      // How an aligned patcher tells a token's end is in its own folder alone.
      before = [join(folder, checkpointName(stepsOf(settings))), ...from];
      if (SPEAKS_TO_SOURCE.includes(settings.kind)) {
        const question = { config, folders: before, run: folder, source: source!, texts: options.heldOut };
        encoder = await measureEncoder(question);
      }
    }
    return { checkpoint: before[0]!, metrics: { ...encoder, ...metrics } };
  } finally {
    await source?.close();
  }
}
