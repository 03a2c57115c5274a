/** @module The third stage: trains the entropy model and calibrates its threshold, in `patcher/`. */
import { existsSync } from 'node:fs';
import { runStage } from '../conversion/index.js';
import { allTexts, type ByteStore, evaluationTexts, textOf } from '../data/index.js';
import { measurePatcher, segmentationMetrics } from '../evaluate/index.js';
import { trainPatcher } from '../finetune/index.js';
import { digestOf } from '../fs/index.js';
import { forDigest } from '../recipe/index.js';
import type { StepContext } from './context.js';
import { recordRecipe } from './record-recipe.js';
import { dataDigest, slowProcessWarning, stepProgress } from './training.js';

/** The source reads each text twice, whole and patch by patch, so a sample must suffice. */
const MEASURED_BYTES = 16_384;

/**
 * Trains the entropy model on a store and calibrates it, unless that is done. The engine must be started.
 * @throws UsageError when the recipe or the data has changed since; the signal's reason, after a checkpoint.
 */
export async function patcherStep(
  { conversion, recipe, reporter, signal, followers = null }: StepContext,
  store: ByteStore,
): Promise<void> {
  reporter.stage('Training the patcher');
  const inputs = {
    recipe: digestOf(forDigest({ patcher: recipe.patcher, seed: recipe.seed })),
    data: dataDigest(store),
  };
  const source = existsSync(conversion.path('import')) ? conversion.path('import') : null;
  const state = await runStage({
    conversion,
    name: 'patcher',
    inputs,
    work: async (out) => {
      await recordRecipe(conversion, recipe);
      const report = await trainPatcher({
        init: conversion.path('remap'),
        out,
        tokenizerFolder: source,
        recipe,
        store,
        settings: digestOf(inputs),
        ...{ signal, followers },
        onSlowProcess: (slow) => reporter.warn(slowProcessWarning(slow, followers)),
        onStep: (report) => reporter.progress(stepProgress(report)),
      });
      const metrics = {
        patcher_bits_per_byte: report.bitsPerByte,
        patcher_flops: report.flops,
        threshold_nats: report.threshold,
        bytes_per_patch: report.bytesPerPatch,
      };
      if (source === null || recipe.patcher.kind === 'entropy') return { metrics };
      const maxBytes = Math.min(recipe.evaluate.validation_bytes, MEASURED_BYTES);
      const texts = allTexts(await evaluationTexts(textOf(store.validation), { maxBytes }));
      const [measured] = await measurePatcher(out, source, [{ kind: 'held out', texts }], { reporter, signal });
      return { metrics: { ...segmentationMetrics(measured!.report), ...metrics } };
    },
  });
  const { bytes_per_patch = 0, threshold_nats = 0 } = conversion.manifest().stages.patcher?.metrics ?? {};
  const summary = `${bytes_per_patch.toFixed(2)} bytes per patch at ${threshold_nats.toFixed(3)} nats`;
  reporter.done(state === 'skipped' ? `already there, ${summary}` : summary);
}
