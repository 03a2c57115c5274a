// Trains models of several sizes from random weights, each with the patch size at which they cost the same FLOPs of inference per byte, on the
// same text, and compares bits per byte of held-out text: the BLT paper's fixed-inference scaling (arXiv 2412.09871, section 5.3) at a toy size.
// Run: npm run bench:scale -- --work DIR [--data PATH... --bytes 1000000 --seeds 1,2,3 --out docs/bench/scale]
// Results are kept in DIR, so an interrupted run continues. Without --data it reads the demo's text, three times over.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildStore, openingTexts, openStore, textDomain } from '../dist/data/index.js';
import { restartOnHugePages } from '../dist/engine/huge-pages.js';
import { startEngine } from '../dist/engine/index.js';
import { demoCorpus } from '../dist/pipeline/index.js';
import { kept } from './conversion.mjs';
import { misuse } from './misuse.mjs';
import { publish } from './report.mjs';
import { armsOf, costOf, ROW_BYTES } from './scale/arms.mjs';
import { drawChart } from './scale/chart.mjs';
import { cutTexts } from './scale/cut-texts.mjs';
import { recipeOf } from './scale/recipe.mjs';
import { patcherOf, runArm } from './scale/run-arm.mjs';
import { captionOf, summarise, tableOf } from './scale/summary.mjs';
import { requireSettings } from './work-settings.mjs';

restartOnHugePages();
const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    data: { type: 'string', multiple: true },
    bytes: { type: 'string', default: '1000000' },
    seeds: { type: 'string', default: '1,2,3' },
    out: { type: 'string' },
  },
});
const { work, out } = values;
const seeds = values.seeds.split(',').map(Number);
const bytes = Number(values.bytes);
if (work === undefined) misuse('--work names a folder for models and results');
if (!seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) misuse('--seeds are whole numbers, as in 1,2,3');
if (!(bytes > 0)) misuse('--bytes is the number of bytes that each model reads');

/** How the text is divided; the same for all seeds. */
const SPLIT = { validationFraction: 0.1, seed: 1, textKey: 'text' };
const DOCUMENT_BYTES = 4096;
const MAX_HELD_OUT_BYTES = 65_536;

const log = (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

mkdirSync(work, { recursive: true });
const arms = armsOf();
const paths = values.data ?? (await demoCorpus());
requireSettings(work, { paths, arms, ...recipeOf({ seed: 0, bytes, heldOutBytes: MAX_HELD_OUT_BYTES }) });

for (const { arm, config, bytesPerPatch } of arms) {
  const { flopsPerByte, globalShare } = costOf(config, bytesPerPatch);
  log(`${arm}: ${(flopsPerByte / 1e6).toFixed(3)} MFLOP per byte, ${Math.round(100 * globalShare)} % global`);
}

const dataFolder = join(work, 'data');
if (!existsSync(dataFolder))
  await buildStore({ domains: [textDomain(paths, DOCUMENT_BYTES)], out: dataFolder, ...SPLIT });
const store = await openStore(dataFolder);
const sample = { maxBytes: MAX_HELD_OUT_BYTES, openingBytes: DOCUMENT_BYTES };
const heldOut = (await openingTexts(store.validation, sample)).map((domain) => ({
  ...domain,
  texts: cutTexts(domain.texts, ROW_BYTES - 2), // a row has BOS and EOS as well
}));
const heldOutBytes = heldOut.flatMap(({ texts }) => texts).reduce((sum, { length }) => sum + length, 0);

await startEngine();
const results = [];
for (const seed of seeds) {
  const recipe = recipeOf({ seed, bytes, heldOutBytes });
  const own = join(work, `seed-${seed}`);
  for (const arm of arms) {
    const folder = join(own, arm.arm);
    const result = await kept(folder, async () => {
      const trained = await patcherOf({ work: own, config: arms[0].config, recipe, store });
      const begin = performance.now();
      const measured = await runArm({ arm, folder, patcher: trained.folder, recipe, store, heldOut });
      const seconds = Math.round((performance.now() - begin) / 1000);
      log(`${arm.arm}, seed ${seed}: ${measured.bits_per_byte.toFixed(3)} bits per byte in ${seconds} s`);
      return { arm: arm.arm, seed, patcher_bits_per_byte: trained.bitsPerByte, ...measured };
    });
    results.push(result);
  }
}
const text = {
  name: values.data === undefined ? 'the demo’s documentation' : paths.map((path) => basename(path)).join(', '),
  training_bytes: store.train.byteCount,
  held_out_bytes: heldOutBytes,
};
await store.close();

const {
  patcher,
  stages: [stage],
} = recipeOf({ seed: 0, bytes, heldOutBytes });
const summary = summarise(arms, results, text);
publish(out, 'scale', {
  report: {
    command: 'npm run bench:scale',
    text,
    recipe: { patcher, stage },
    ...summary,
  },
  markdown: [tableOf(summary), captionOf(summary, text)].join('\n\n'),
});
if (out !== undefined) writeFileSync(join(out, 'scale.svg'), drawChart(summary));
process.exit();
