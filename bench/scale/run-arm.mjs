// One arm of bench:scale with one seed: random weights, the seed's patcher with the arm's threshold, and the training.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configText, readBltConfig, toTransformersConfig } from '../../dist/blt/index.js';
import { allTexts } from '../../dist/data/index.js';
import { calibrate, finetune, trainPatcher, withThreshold } from '../../dist/finetune/index.js';
import { disposeParams, loadPatcher } from '../../dist/model/index.js';
import { valuesIn } from '../json-lines.mjs';
import { writeRandomBlt } from '../random-blt.mjs';
import { curveOf } from './curve.mjs';

/** A run resumes only with the settings that it began with; that they are the same is checked for all runs together. */
const RUN = { settings: 'bench:scale', signal: new AbortController().signal };

/**
 * The folder of a patcher with its bits per byte, trained on random weights unless it exists.
 * @param {{ work: string, config: any, recipe: any, store: any }} options
 * @returns {Promise<{ folder: string, bitsPerByte: number }>}
 */
export async function patcherOf({ work, config, recipe, store }) {
  const folder = join(work, 'patcher');
  const file = join(folder, 'report.json');
  if (!existsSync(file)) {
    const init = join(work, 'patcher-init');
    await writeRandomBlt(init, config, recipe.seed);
    const report = await trainPatcher({ init, out: folder, tokenizerFolder: null, recipe, store, ...RUN });
    writeFileSync(file, JSON.stringify(report));
  }
  return { folder, bitsPerByte: JSON.parse(readFileSync(file, 'utf8')).bitsPerByte };
}

/** Writes the patcher with a threshold for `bytesPerPatch` on the held-out text, and the config of an arm. */
async function writePatcher(trained, out, { config, bytesPerPatch }, texts) {
  mkdirSync(out, { recursive: true });
  copyFileSync(join(trained, 'model.safetensors'), join(out, 'model.safetensors'));
  const params = await loadPatcher(trained, await readBltConfig(trained));
  const { threshold } = calibrate(params, config, texts, bytesPerPatch);
  disposeParams(params);
  writeFileSync(
    join(out, 'config.json'),
    configText(toTransformersConfig(withThreshold(config, threshold), 'float32')),
  );
  return threshold;
}

/**
 * Trains an arm and measures it on held-out text.
 * @param {{ arm: any, folder: string, patcher: string, recipe: any, store: any, heldOut: any[] }} options
 */
export async function runArm({ arm, folder, patcher, recipe, store, heldOut }) {
  const [init, own, run] = ['init', 'patcher', 'run'].map((name) => join(folder, name));
  const threshold = await writePatcher(patcher, own, arm, allTexts(heldOut));
  await writeRandomBlt(init, arm.config, recipe.seed);
  await finetune({
    ...{ from: [own, init], source: null, run, recipe, store, heldOut, sourceBitsPerByte: null },
    ...RUN,
  });
  return { threshold, ...curveOf(valuesIn(join(run, 'metrics.jsonl'))) };
}
