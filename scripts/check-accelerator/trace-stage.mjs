// Traces the programs of one stage of a recipe without computing anything: the code that trains, on an engine that has shapes but no values.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bltConfigFor } from '../../dist/blt/index.js';
import { buildStore, openStore } from '../../dist/data/index.js';
import { startShapesEngine } from '../../dist/engine/index.js';
import { partBytes, shardingOf } from '../../dist/engine/openxla/split.js';
import { moduleText } from '../../dist/engine/stablehlo/function.js';
import { finetune, trainPatcher } from '../../dist/finetune/index.js';
import { tokenEndHead } from '../../dist/model/index.js';
import { loadRecipe, localSizesOf, targetBytesPerPatch } from '../../dist/recipe/index.js';
import { writeBlt, writeSource } from './model-folders.mjs';
import { sourceOf } from './sources.mjs';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));

/** Thrown after the first step, whose programs are all that is wanted. */
class Done extends Error {}

const signal = new AbortController().signal;

/** Some text of the stage's batches. */
async function textStore(folder) {
  await buildStore({
    paths: [DOCS],
    out: folder,
    chunkBytes: 65_536,
    validationFraction: 0.02,
    seed: 1,
    textKey: 'text',
  });
  return await openStore(folder);
}

/** Bytes of what a function gets, on one device. */
function argumentBytes(fn, layout) {
  const splits = shardingOf(layout, fn)?.parameters ?? [];
  return fn.parameters.reduce((sum, parameter, i) => sum + partBytes(layout, parameter, splits[i] ?? null), 0);
}

/** Whether a function is the patcher, which returns one or two numbers per position. */
const isPatcher = ({ changesVariables, shapes }) => !changesVariables && shapes.every((shape) => shape.length === 1);

/** Entropies that cut a patch every so many bytes. */
function cutsOf({ shapes }, bytesPerPatch, { patching }) {
  const positions = shapes[0]?.[0] ?? 0;
  const high = 2 * Math.max(1, patching.threshold);
  const entropies = Float32Array.from({ length: positions }, (_, i) =>
    Math.floor((i + 1) / bytesPerPatch) > Math.floor(i / bytesPerPatch) ? high : 0,
  );
  return new Uint8Array(entropies.buffer);
}

/** Runs until the first step is done. */
async function untilFirstStep(run) {
  const onStep = () => {
    throw new Done();
  };
  await run(onStep).catch((error) => {
    if (!(error instanceof Done)) throw error;
  });
}

/**
 * @typedef {object} Program
 * @property {string} text StableHLO
 * @property {boolean} changes whether it changes variables: it is the step, or a part of it
 * @property {number} otherBytes what lies on one device beside what it gets
 */

/**
 * @param {{ recipe: string, stage: number | 'patcher', overrides: string[], layout: import('../../dist/engine/openxla/split.js').Layout,
 *   work: string }} options
 * @returns {Promise<{ programs: Program[], config: any, recipe: any, sourceConfig: any }>}
 */
export async function traceStage({ recipe: name, stage, overrides, layout, work }) {
  const recipe = await loadRecipe(name, { sets: overrides });
  const [source, init] = ['source', 'init'].map((part) => join(work, part));
  const sourceConfig = writeSource(source, sourceOf(name));
  const config = bltConfigFor(sourceConfig, localSizesOf(sourceConfig, recipe));
  const { kind, labels, end_confidence: endConfidence } = recipe.patcher;
  const aligned = kind === 'aligned' ? { labels, endConfidence } : null;
  const extra = aligned === null ? [] : [tokenEndHead(config)];
  await writeBlt(init, config, {
    aligned: stage === 'patcher' ? null : aligned,
    extra: stage === 'patcher' ? [] : extra,
  });
  const store = await textStore(join(work, 'data'));
  const functions = [];
  const engine = startShapesEngine((fn) => {
    functions.push({ fn, otherBytes: Math.max(0, engine.memory().used - argumentBytes(fn, layout)) });
    return isPatcher(fn) ? [cutsOf(fn, targetBytesPerPatch(recipe.patcher), config)] : undefined;
  }, layout);
  const shared = { recipe, store, settings: '', signal };
  try {
    await untilFirstStep((onStep) =>
      stage === 'patcher'
        ? trainPatcher({ ...shared, init, out: join(work, 'patcher'), tokenizerFolder: source, onStep })
        : finetune({
            ...shared,
            recipe: { ...recipe, stages: [recipe.stages[stage]] },
            from: [init],
            source,
            run: join(work, 'run'),
            heldOut: [],
            sourceBitsPerByte: null,
            onStep,
          }),
    );
  } finally {
    await store.close();
  }
  const distinct = new Map(
    functions.map(({ fn, ...rest }) => [
      moduleText(fn, shardingOf(layout, fn)),
      { changes: fn.changesVariables, ...rest },
    ]),
  );
  const programs = [...distinct].map(([text, rest]) => ({ text, ...rest }));
  return { config, recipe, sourceConfig, programs };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = JSON.parse(process.argv[2]);
  mkdirSync(options.work, { recursive: true });
  const { programs } = await traceStage(options);
  for (const [i, { text }] of programs.entries()) writeFileSync(join(options.work, `program-${i}.mlir`), text);
  console.log(programs.map(({ text, ...rest }) => ({ bytes: text.length, ...rest })));
}
