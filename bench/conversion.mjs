// What benchmarks of stages share: a conversion, held-out text on which bench:smollm2 does not measure, and results that outlive an interruption.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { evaluationTexts, openStore } from '../dist/data/index.js';
import { finetune } from '../dist/finetune/index.js';
import { openLlama } from '../dist/llama/index.js';
import { recipeSchema } from '../dist/recipe/index.js';
import { valuesIn } from './json-lines.mjs';

/** How much is measured, of the text that follows what the conversion itself measures on. */
const HELD_OUT_BYTES = 32_768;
const SEED = 7;

const ignore = () => {};
/** @type {any} */
const signal = new AbortController().signal;

/** Options of measurements that report no progress. */
export const QUIET = {
  reporter: { stage: ignore, progress: ignore, done: ignore, note: ignore, warn: ignore, stop: ignore },
  signal,
};

/** Opens a conversion whose patcher is trained. @param {string} dir */
export async function openConversion(dir) {
  const recipe = recipeSchema.parse(parse(readFileSync(join(dir, 'recipe.yaml'), 'utf8')));
  const store = await openStore(join(dir, 'data'));
  const texts = (maxBytes) => evaluationTexts(store.validation, { maxBytes });
  const { validation_bytes: publishedBytes } = recipe.evaluate;
  const published = await texts(publishedBytes);
  const source = await openLlama(join(dir, 'source'));
  await source.close();
  const heldOut = (await texts(publishedBytes + HELD_OUT_BYTES)).slice(published.length);
  return {
    recipe,
    store,
    heldOut,
    /** Tokens of the source's vocabulary. */
    vocabSize: source.config.vocabSize,
    folder: (...names) => join(dir, ...names),
    /**
     * Runs one stage in `run`.
     * @param {any} stage @param {string[]} from the folders of the model, the first of which wins @param {string} run
     * @returns {Promise<{ checkpoint: string, curve: any[] }>}
     */
    async runStage(stage, from, run) {
      const { checkpoint } = await finetune({
        ...{ from, run, store, heldOut },
        source: join(dir, 'source'),
        recipe: { ...recipe, seed: SEED, stages: [stage] },
        ...{ sourceBitsPerByte: null, settings: '', signal },
      });
      return { checkpoint, curve: valuesIn(join(run, 'metrics.jsonl')) };
    },
    close: () => store.close(),
  };
}

/** The evaluations of a curve: pairs of a step and its bits per byte. @param {any[]} curve @returns {[number, number][]} */
export const evaluationsOf = (curve) =>
  curve.flatMap(({ step, validation_bits_per_byte: bits }) => (bits === undefined ? [] : [[step, bits]]));

/**
 * The result in `folder`. If there is none, it is computed, and replaces whatever else the computation has left there.
 * @template T @param {string} folder @param {() => Promise<T>} compute @returns {Promise<T>}
 */
export async function kept(folder, compute) {
  const file = join(folder, 'result.json');
  if (!existsSync(file)) {
    const result = await compute();
    rmSync(folder, { recursive: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify(result));
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}
