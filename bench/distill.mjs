// Compares methods of converting a Llama to a BLT at equal floating-point operations, including the source's forward passes. Every arm
// converts the embedded tiny Llama with several seeds and the same training and held-out text. Writes a table (JSON and Markdown) and a
// chart. With another --split, other documents are held out: settings are chosen on one, and results published from the first.
// Run: npm run bench:distill [-- --seeds 1,2,3 --arms A,D --split 1 --flops 1.2e13 --work DIR --out docs/bench/distill]
// Finished arms stay in --work, so a run that was interrupted resumes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bltConfigFor } from '../dist/blt/index.js';
import { allTexts, buildStore, evaluationTexts, openStore, textDomain } from '../dist/data/index.js';
import { restartOnHugePages } from '../dist/engine/huge-pages.js';
import { startEngine } from '../dist/engine/index.js';
import { llamaBitsPerByte, scoreTexts } from '../dist/evaluate/index.js';
import { finetune, trainPatcher } from '../dist/finetune/index.js';
import { locateModel } from '../dist/import/index.js';
import { openLlama } from '../dist/llama/index.js';
import { openBlt, openLlamaModel } from '../dist/model/index.js';
import { demoCorpus } from '../dist/pipeline/index.js';
import { localSizesOf, recipeSchema } from '../dist/recipe/index.js';
import { remap } from '../dist/remap/index.js';
import { loadTokenizer } from '../dist/tokenizer/index.js';
import { ARMS, recipeOf } from './distill/arms.mjs';
import { drawChart } from './distill/chart.mjs';
import { summarise, tableOf } from './distill/summary.mjs';
import { valuesIn } from './json-lines.mjs';
import { requireSettings } from './work-settings.mjs';

restartOnHugePages();
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    arms: { type: 'string', default: Object.keys(ARMS).join(',') },
    split: { type: 'string', default: '1' },
    flops: { type: 'string', default: '1.2e13' },
    work: { type: 'string', default: join(tmpdir(), 'byteify-bench-distill') },
    out: { type: 'string' },
  },
});
const seeds = values.seeds.split(',').map(Number);
const arms = values.arms.split(',');
const budget = Number(values.flops);
const { work } = values;
const signal = new AbortController().signal;
/** All arms share one split. The embedded Llama has seen nothing of what the first holds out. */
const DATA = { validationFraction: 0.05, textKey: 'text', seed: Number(values.split) };
const log = (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));

await startEngine();
const source = (await locateModel('builtin:tiny-llama')).path;
mkdirSync(work, { recursive: true });
requireSettings(work, { split: DATA.seed, budget });
const dataFolder = join(work, 'data');
if (!existsSync(dataFolder))
  await buildStore({ domains: [textDomain(await demoCorpus(), 4096)], out: dataFolder, signal, ...DATA });
const store = await openStore(dataFolder);
const heldOutByDomain = await evaluationTexts(store.validation, { maxBytes: Number.MAX_SAFE_INTEGER });
const heldOut = allTexts(heldOutByDomain);
const llama = await openLlamaModel(source);
const { bitsPerByte: sourceBitsPerByte, bytesPerToken } = await llamaBitsPerByte(
  llama,
  await loadTokenizer(source),
  heldOut,
);
llama.dispose();
const opened = await openLlama(source);
const llamaConfig = opened.config;
await opened.close();

/** Remaps the source with a seed and trains a patcher, unless both exist. */
async function prepare(seed, patcher) {
  const recipe = recipeSchema.parse(recipeOf({ seed, patcher, stages: ARMS.A.stages, budget: 1 }));
  const init = join(work, `seed-${seed}`, 'init');
  if (!existsSync(init)) {
    const opened = await openLlama(source);
    const config = bltConfigFor(opened.config, localSizesOf(opened.config, recipe));
    await remap({ source: opened, config, out: init, ownsOut: true, seed, dtype: 'source' });
    await opened.close();
  }
  const out = join(work, `seed-${seed}`, `patcher-${patcher}`);
  const report = join(out, 'report.json');
  if (!existsSync(report)) {
    const metrics = await trainPatcher({
      init,
      out,
      tokenizerFolder: source,
      recipe,
      store,
      settings: 'benchmark',
      signal,
    });
    writeFileSync(report, JSON.stringify(metrics));
  }
  return { init, patcher: out, report: json(report) };
}

async function runArm(arm, seed) {
  const { patcher: kind, stages } = ARMS[arm];
  const folder = join(work, `seed-${seed}`, arm);
  const result = join(folder, 'result.json');
  if (existsSync(result)) return json(result);
  const { init, patcher, report } = await prepare(seed, kind);
  const recipe = recipeSchema.parse(
    recipeOf({
      seed,
      patcher: kind,
      stages,
      budget,
      cost: {
        config: json(join(patcher, 'config.json')),
        folder: patcher,
        bytesPerPatch: report.bytesPerPatch,
        bytesPerToken,
        trainBytes: store.train.byteCount,
        vocabSize: llamaConfig.vocabSize,
      },
    }),
  );
  const steps = recipe.stages.map((stage) => ({ kind: stage.kind, steps: 'steps' in stage ? stage.steps : 0 }));
  log(`${arm}, seed ${seed}: ${steps.map(({ kind, steps }) => `${kind} ${steps}`).join(', ')}`);
  const { checkpoint } = await finetune({
    from: [patcher, init],
    source,
    run: join(folder, 'run'),
    recipe,
    store,
    heldOut: heldOutByDomain,
    sourceBitsPerByte,
    settings: 'benchmark',
    signal,
  });
  const curve = [];
  recipe.stages.forEach((_, i) => {
    const run = i === recipe.stages.length - 1 ? join(folder, 'run') : join(folder, 'run', `stage-${i}`);
    for (const { flops, validation_bits_per_byte: bits } of valuesIn(join(run, 'metrics.jsonl')))
      if (bits !== undefined) curve.push({ flops, bits_per_byte: bits });
  });
  const model = await openBlt(checkpoint);
  const documents = heldOut.map((text) => {
    const [{ nllNats }] = scoreTexts(model.params, model.config, [text]);
    return { nats: nllNats.reduce((sum, nats) => sum + nats, 0), bytes: text.length };
  });
  model.dispose();
  const measured = {
    arm,
    seed,
    patcher: report,
    steps,
    curve,
    documents,
  };
  writeFileSync(result, JSON.stringify(measured));
  log(
    `${arm}, seed ${seed}: ${curve.at(-1).bits_per_byte.toFixed(3)} bits per byte at ${curve.at(-1).flops.toExponential(2)} FLOPs`,
  );
  return measured;
}

const results = [];
for (const arm of arms) for (const seed of seeds) results.push(await runArm(arm, seed));
await store.close();
const summary = summarise(results, {
  sourceBitsPerByte,
  budget,
  heldOutBytes: heldOut.reduce((sum, { length }) => sum + length, 0),
});
const table = tableOf(summary);
process.stdout.write(`${table}\n`);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'distill.json'), `${JSON.stringify(summary, null, 2)}\n`);
  writeFileSync(join(values.out, 'distill.md'), `${table}\n`);
  writeFileSync(join(values.out, 'distill.svg'), drawChart(summary));
}
process.exit(0);
