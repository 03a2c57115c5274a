/** @module Runs a recipe's stages: from the remapped model and its patcher to the last checkpoint of the run. */
import { join } from 'node:path';
import type { BltConfig } from '../blt/index.js';
import type { ByteStore } from '../data/index.js';
import { bltBitsPerByte, disposeParams, readBltConfig } from '../model/index.js';
import type { Recipe } from '../recipe/index.js';
import { openCheckpoint, type TensorReader } from '../safetensors/index.js';
import { checkpointName } from './checkpoint.js';
import { endToEndObjective } from './objective.js';
import { overlay } from './overlay.js';
import { endToEndPlan } from './plans.js';
import { type StepReport, train } from './train.js';

export interface FinetuneOptions {
  /** BLT folders read as one, the first wins: the patcher's, then the remapped model's. Its config is the first's. */
  readonly from: readonly string[];
  /** Gets the checkpoints of the last stage, metrics.jsonl and tfevents; earlier stages lie in `stage-I/`. */
  readonly run: string;
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

/** @throws the signal's reason after a checkpoint when stopped; ByteifyError when training diverges. */
export async function finetune(options: FinetuneOptions): Promise<FinetuneReport> {
  const { recipe, run } = options;
  let from = options.from;
  let metrics: Readonly<Record<string, number>> = {};
  for (const [stage, settings] of recipe.stages.entries()) {
    const last = stage === recipe.stages.length - 1;
    const folder = last ? run : join(run, `stage-${stage}`);
    metrics = await runOne({ ...options, from, run: folder, stage });
    from = [join(folder, checkpointName(settings.steps))];
  }
  return { checkpoint: from[0]!, metrics };
}

async function runOne(options: FinetuneOptions & { stage: number }): Promise<Readonly<Record<string, number>>> {
  const { from, recipe, store, run, stage, onStep, heldOut, sourceBitsPerByte } = options;
  const settings = recipe.stages[stage]!;
  const config: BltConfig = await readBltConfig(from[0]!);
  const start: TensorReader = overlay(await Promise.all(from.map(openCheckpoint)));
  try {
    const { params, metrics } = await train({
      objective: endToEndObjective(config, settings.frozen, settings.lora ?? null),
      config,
      start,
      plan: endToEndPlan(settings, recipe.hardware),
      data: store.train,
      run,
      seed: recipe.seed + stage,
      settings: options.settings,
      signal: options.signal,
      ...(onStep && { onStep: (report) => onStep({ ...report, stage }) }),
      validate: async (now) => {
        const { bitsPerByte, bytesPerPatch } = await bltBitsPerByte(now, config, heldOut);
        return {
          validation_bits_per_byte: bitsPerByte,
          validation_bytes_per_patch: bytesPerPatch,
          ...(sourceBitsPerByte !== null && { source_bits_per_byte: sourceBitsPerByte }),
        };
      },
    });
    disposeParams(params);
    return metrics;
  } finally {
    await start.close();
  }
}
