/** @module The fourth stage: trains the BLT, in `run/`. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { runStage } from '../conversion/index.js';
import { type ByteStore, evaluationTexts, plainTexts } from '../data/index.js';
import { llamaBitsPerByte } from '../evaluate/index.js';
import { finetune } from '../finetune/index.js';
import { digestOf } from '../fs/index.js';
import { openLlamaModel } from '../model/index.js';
import { forDigest } from '../recipe/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import type { StepContext } from './context.js';
import { recordRecipe } from './record-recipe.js';
import { dataDigest, slowProcessWarning, stepProgress } from './training.js';

/** The source's bits per byte on held-out texts; null when the conversion started from a BLT, or the source's tokens spell none of the texts. */
async function sourceBits(folder: string, texts: readonly Uint8Array[]): Promise<number | null> {
  if (!existsSync(folder)) return null;
  const model = await openLlamaModel(folder);
  try {
    const { bitsPerByte, byteCount } = await llamaBitsPerByte(model, await loadTokenizer(folder), texts);
    return byteCount === 0 ? null : bitsPerByte;
  } finally {
    model.dispose();
  }
}

/**
 * Trains the BLT through the recipe's stages, unless that is done. The engine must be started.
 * @param from a BLT folder whose weights to train, instead of the conversion's own remapped model and patcher.
 * @throws UsageError when the recipe, data or model has changed since; the signal's reason, after a checkpoint.
 */
export async function finetuneStep(
  { conversion, recipe, reporter, signal, followers = null }: StepContext,
  store: ByteStore,
  from: string | null = null,
): Promise<void> {
  const { stages, evaluate, seed } = recipe;
  const patcher = conversion.manifest().stages.patcher;
  const inputs = {
    recipe: digestOf(forDigest({ stages, evaluate, seed })),
    data: dataDigest(store),
    model: digestOf(from === null ? (patcher?.metrics ?? {}) : resolve(from)),
  };
  reporter.stage('Fine-tuning');
  const state = await runStage({
    conversion,
    name: 'finetune',
    inputs,
    work: async (run) => {
      await recordRecipe(conversion, recipe);
      const heldOut = await evaluationTexts(store.validation, { maxBytes: recipe.evaluate.validation_bytes });
      const { metrics } = await finetune({
        from: from === null ? [conversion.path('patcher'), conversion.path('remap')] : [from],
        source: from === null && existsSync(conversion.path('import')) ? conversion.path('import') : null,
        run,
        ...(from === null && { conversion: conversion.folder }),
        recipe,
        store,
        heldOut,
        sourceBitsPerByte: await sourceBits(conversion.path('import'), plainTexts(heldOut)),
        settings: digestOf(inputs),
        ...{ signal, followers },
        onSlowProcess: (slow) => reporter.warn(slowProcessWarning(slow, followers)),
        onStep: (report) => reporter.progress(stepProgress(report)),
      });
      return { metrics };
    },
  });
  const { validation_bits_per_byte: own, source_bits_per_byte: source } =
    conversion.manifest().stages.finetune?.metrics ?? {};
  const beside = source === undefined ? '' : ` (the source: ${source.toFixed(3)})`;
  const summary = `${own?.toFixed(3)} bits per byte on held-out text${beside}`;
  reporter.done(state === 'skipped' ? `already there, ${summary}` : summary);
}
