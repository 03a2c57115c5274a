// What benchmarks of stages share: a conversion, held-out text on which bench:smollm2 does not measure, and results that outlive an interruption.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { allTexts, evaluationTexts, openStore } from '../dist/data/index.js';
import { measurePatcher } from '../dist/evaluate/index.js';
import { finetune } from '../dist/finetune/index.js';
import { openLlama } from '../dist/llama/index.js';
import { recipeSchema } from '../dist/recipe/index.js';
import { valuesIn } from './json-lines.mjs';
import { keptResult } from './kept-result.mjs';
import { partsOf } from './stage-parts.mjs';

/** How much is measured, of the text that follows what the conversion itself measures on. */
const HELD_OUT_BYTES = 32_768;
const SEED = 7;

const ignore = () => {};
/** @type {any} */
const signal = new AbortController().signal;

/** Options of measurements that report no progress. */
const QUIET = {
  reporter: { stage: ignore, progress: ignore, done: ignore, note: ignore, warn: ignore, stop: ignore },
  signal,
};

/** Opens a conversion whose patcher is trained. @param {string} dir */
export async function openConversion(dir) {
  const recipe = recipeSchema.parse(parse(readFileSync(join(dir, 'recipe.yaml'), 'utf8')));
  const store = await openStore(join(dir, 'data'));
  const texts = async (maxBytes) => allTexts(await evaluationTexts(store.validation, { maxBytes }));
  const { validation_bytes: publishedBytes } = recipe.evaluate;
  const published = await texts(publishedBytes);
  const source = await openLlama(join(dir, 'source'));
  await source.close();
  const heldOut = (await texts(publishedBytes + HELD_OUT_BYTES)).slice(published.length);
  const folder = (...names) => join(dir, ...names);
  return {
    recipe,
    store,
    heldOut,
    /** Tokens of the source's vocabulary. */
    vocabSize: source.config.vocabSize,
    folder,
    /** How a patcher cuts the held-out text. The engine must be started. @param {string} patcher its folder */
    async measureCuts(patcher) {
      const kinds = [{ kind: 'held out', texts: heldOut }];
      const [found] = await measurePatcher(patcher, folder('source'), kinds, QUIET);
      return found.report;
    },
    /**
     * Runs one stage in `run`.
     * @param {any} stage @param {string[]} from the folders of the model, the first of which wins @param {string} run
     * @returns {Promise<{ checkpoint: string, curve: any[], parts: any }>} parts: see partsOf
     */
    async runStage(stage, from, run) {
      const { checkpoint } = await finetune({
        ...{ from, run, store, heldOut: [{ name: 'text', kind: 'text', texts: heldOut }] },
        source: folder('source'),
        recipe: { ...recipe, seed: SEED, stages: [stage] },
        ...{ sourceBitsPerByte: null, settings: 'benchmark', signal },
      });
      return { checkpoint, curve: valuesIn(join(run, 'metrics.jsonl')), parts: partsOf(run) };
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
  return await keptResult(join(folder, 'result.json'), async () => {
    const result = await compute();
    rmSync(folder, { recursive: true });
    mkdirSync(folder, { recursive: true });
    return result;
  });
}
