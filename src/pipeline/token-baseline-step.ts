/** @module Trains the source with its tokens on a conversion's text, for as many operations as its BLT, in `token-baseline/`. */
import { join } from 'node:path';
import { readBltConfig } from '../blt/index.js';
import { type ByteStore, evaluationTexts } from '../data/index.js';
import { trainTokenBaseline } from '../finetune/index.js';
import { digestOf, makeFolder, readTextIfThere, removeAtomic, writeFileAtomic } from '../fs/index.js';
import { forDigest } from '../recipe/index.js';
import { humanFlops } from '../ui/index.js';
import type { StepContext } from './context.js';
import { dataDigest, stepProgress } from './training.js';

/** What the baseline found. */
export interface TokenBaseline {
  /** The trained Llama. */
  readonly folder: string;
  readonly bitsPerByte: number;
  readonly bytesPerToken: number;
  readonly flops: number;
}

/** Operations of the patcher's training and of all stages. */
function spentFlops({ conversion }: StepContext): number {
  const { patcher, finetune } = conversion.manifest().stages;
  return (patcher?.metrics.patcher_flops ?? 0) + (finetune?.metrics.flops ?? 0);
}

/** Removes a baseline that was trained with other settings. */
async function keepOnly(folder: string, settings: string): Promise<void> {
  const path = join(folder, 'settings.sha256');
  if ((await readTextIfThere(path)) === settings) return;
  await removeAtomic(folder);
  await makeFolder(folder);
  await writeFileAtomic(path, settings);
}

/** The conversion must have a source, and all data must be text. @throws the signal's reason, after a checkpoint */
export async function tokenBaselineStep(context: StepContext, store: ByteStore): Promise<TokenBaseline> {
  const { conversion, recipe, reporter, signal } = context;
  const source = conversion.path('import');
  const flops = spentFlops(context);
  reporter.stage(`Training the source with its tokens for ${humanFlops(flops)}`);
  const { stages, evaluate, seed, token_baseline } = recipe;
  const settings = digestOf({
    recipe: forDigest({ stages, evaluate, seed }),
    ...{ token_baseline, flops, data: dataDigest(store) },
  });
  const folder = join(conversion.folder, 'token-baseline');
  await keepOnly(folder, settings);
  const metrics = await trainTokenBaseline({
    ...{ source, recipe, store, flops, settings, signal },
    config: await readBltConfig(conversion.path('remap')),
    heldOut: await evaluationTexts(store.validation, { maxBytes: evaluate.validation_bytes }),
    run: join(folder, 'run'),
    out: join(folder, 'llama'),
    onStep: (report) => reporter.progress(stepProgress(report)),
  });
  const found = {
    folder: join(folder, 'llama'),
    bitsPerByte: metrics.validation_bits_per_byte!,
    bytesPerToken: metrics.validation_bytes_per_token!,
    flops: metrics.flops!,
  };
  reporter.done(`${found.bitsPerByte.toFixed(3)} bits per byte on held-out text`);
  return found;
}
