/** @module The third stage: the entropy model and its threshold, in `patcher/`. */
import { existsSync } from 'node:fs';
import { digestOf, runStage } from '../conversion/index.js';
import type { ByteStore } from '../data/index.js';
import { trainPatcher } from '../finetune/index.js';
import type { StepContext } from './context.js';
import { recordRecipe } from './record-recipe.js';
import { dataDigest, stepProgress } from './training.js';

/**
 * Trains the entropy model on a store and calibrates it, unless that was done. The engine must be started.
 * @throws UsageError when the recipe or the data changed since; the signal's reason, after a checkpoint.
 */
export async function patcherStep(
  { conversion, recipe, reporter, signal }: StepContext,
  store: ByteStore,
): Promise<void> {
  reporter.stage('Training the patcher');
  const inputs = { recipe: digestOf({ patcher: recipe.patcher, seed: recipe.seed }), data: dataDigest(store) };
  const state = await runStage({
    conversion,
    name: 'patcher',
    inputs,
    work: async (out) => {
      await recordRecipe(conversion, recipe);
      const report = await trainPatcher({
        init: conversion.path('remap'),
        out,
        tokenizerFolder: existsSync(conversion.path('import')) ? conversion.path('import') : null,
        recipe,
        store,
        settings: digestOf(inputs),
        signal,
        onStep: (report) => reporter.progress(stepProgress(report)),
      });
      return {
        metrics: {
          patcher_bits_per_byte: report.bitsPerByte,
          threshold_nats: report.threshold,
          bytes_per_patch: report.bytesPerPatch,
        },
      };
    },
  });
  const { bytes_per_patch = 0, threshold_nats = 0 } = conversion.manifest().stages.patcher?.metrics ?? {};
  const summary = `${bytes_per_patch.toFixed(2)} bytes a patch at ${threshold_nats.toFixed(3)} nats`;
  reporter.done(state === 'skipped' ? `already there, ${summary}` : summary);
}
