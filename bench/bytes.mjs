// Trains one model on text, images and sounds, and the same on as much text alone, and compares bits per byte by kind, beside compressors.
// Run: npm run bench:bytes -- --work DIR [--seeds 1,2,3 --out docs/bench/bytes]
// Results are kept in DIR, so an interrupted run continues. Needs zstd on the path, and pip for the PyPI package arcade.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openStore } from '../dist/data/index.js';
import { startEngine } from '../dist/engine/index.js';
import { bltBitsPerByte } from '../dist/evaluate/index.js';
import { openBlt, openResidentModel } from '../dist/model/index.js';
import { demoCorpus } from '../dist/pipeline/index.js';
import { compressedBits } from './bytes/compressors.mjs';
import { continued, drawSheet, madeImages } from './bytes/pictures.mjs';
import { prepareMedia } from './bytes/prepare.mjs';
import { keptResult } from './kept-result.mjs';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { publish } from './report.mjs';
import { meanWithInterval } from './seeds.mjs';

const { values } = parseArgs({
  options: { work: { type: 'string' }, seeds: { type: 'string', default: '1,2,3' }, out: { type: 'string' } },
});
if (values.work === undefined) misuse('--work names a folder for conversions and results');
const { work, out } = values;
const seeds = values.seeds.split(',').map(Number);
mkdirSync(work, { recursive: true });

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const IMAGES_ON_SHEET = 8;
const MADE = 16;

const media = prepareMedia(join(work, 'media'));
const text = await demoCorpus();
/** The model of text alone reads as much text as the mixed one, of whose bytes a third is text: more would be the same text once more. */
const THIRD = ['patcher.steps=100', 'patcher.warmup_steps=10', 'stages.1.steps=300', 'stages.1.warmup_steps=33'];
const ARMS = {
  mixed: { sets: [], data: [...text, `images=${media.images}`, `sounds=${media.sounds}`] },
  text: { sets: ['data.domains={text: {}}', ...THIRD], data: text },
};

/** The conversion of an arm; continues one that was interrupted. */
function convert(arm, seed) {
  const dir = join(work, `${arm}-${seed}`);
  const { sets, data } = ARMS[arm];
  // The source was trained on what seed 1 does not hold out.
  const settings = [`seed=${seed}`, 'data.seed=1', ...sets].flatMap((set) => ['--set', set]);
  const args = ['convert', '--recipe', 'tiny-bytes', ...settings, '--data', ...data, '--out', dir];
  execFileSync(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  return dir;
}

/** The chunks of each domain of a split. */
async function chunksOf(split) {
  const found = [];
  for (const { name, from, to } of split.domains) {
    const chunks = [];
    for (let chunk = from; chunk < to; chunk++) chunks.push(await split.read(chunk));
    found.push([name, chunks]);
  }
  return Object.fromEntries(found);
}

async function measure(dir, documents) {
  const model = await openBlt(join(dir, 'blt'));
  const measured = {};
  for (const [name, texts] of Object.entries(documents))
    measured[name] = await bltBitsPerByte(model.params, model.config, texts);
  model.dispose();
  return measured;
}

/** Trains and measures both arms with a seed. */
async function resultOf(seed) {
  const dirs = Object.fromEntries(Object.keys(ARMS).map((arm) => [arm, convert(arm, seed)]));
  const store = await openStore(join(dirs.mixed, 'data'));
  const [training, heldOut] = [await chunksOf(store.train), await chunksOf(store.validation)];
  await store.close();
  const arms = {};
  for (const [arm, dir] of Object.entries(dirs)) arms[arm] = await measure(dir, heldOut);
  const domains = Object.entries(heldOut).map(([name, documents]) => ({
    name,
    training_bytes: training[name].reduce((sum, { length }) => sum + length, 0),
    documents: documents.length,
    bytes: documents.reduce((sum, { length }) => sum + length, 0),
    mixed_bits_per_byte: arms.mixed[name].bitsPerByte,
    mixed_bytes_per_patch: arms.mixed[name].bytesPerPatch,
    text_only_bits_per_byte: arms.text[name].bitsPerByte,
    ...Object.fromEntries(
      Object.entries(compressedBits(documents, Buffer.concat(training[name]))).map(([how, bits]) => [
        `${how === 'zstdAfter' ? 'zstd_after_training_data' : how}_bits_per_byte`,
        bits,
      ]),
    ),
  }));
  const model = await openResidentModel(join(dirs.mixed, 'blt'), { weights: 'float32' });
  const made = await madeImages(model, MADE, heldOut.images[0]);
  const originals = heldOut.images.slice(0, IMAGES_ON_SHEET);
  const given = originals.map((image) => image.subarray(0, image.length / 2));
  drawSheet([originals, given, await continued(model, originals)], join(work, `continued-${seed}.png`));
  model.dispose();
  return { seed, domains, images: { made: MADE, with_header: made.withHeader, whole: made.whole } };
}

await startEngine();
const results = [];
for (const seed of seeds) results.push(await keptResult(join(work, `result-${seed}.json`), () => resultOf(seed)));

const COLUMNS = [
  ['one model for all', 'mixed_bits_per_byte'],
  ['model of text alone', 'text_only_bits_per_byte'],
  ['gzip -9', 'gzip_bits_per_byte'],
  ['zstd -19', 'zstd_bits_per_byte'],
  ['zstd -19 after the training data', 'zstd_after_training_data_bits_per_byte'],
  ['bytes per patch', 'mixed_bytes_per_patch'],
];
const names = results[0].domains.map(({ name }) => name);
const rows = names.map((name) => {
  const measured = results.map(({ domains }) => domains.find((domain) => domain.name === name));
  return [name, ...COLUMNS.map(([, key]) => meanWithInterval(measured.map((domain) => domain[key])))];
});
const made = results.reduce((sum, { images }) => sum + images.made, 0);
const headers = results.reduce((sum, { images }) => sum + images.with_header, 0);
const whole = results.reduce((sum, { images }) => sum + images.whole, 0);
publish(out, 'bytes', {
  report: { command: 'npm run bench:bytes', recipe: 'tiny-bytes', media: media.source, results },
  markdown: [
    table(['domain', ...COLUMNS.map(([head]) => head)], rows),
    `Bits per byte of held-out documents, over ${seeds.length} seeds, with the 95 % interval of their mean. Of ${made} images made after the bytes \`BM\`, ${headers} have a right header, and ${whole} of those end where it says.`,
  ].join('\n\n'),
});
if (out !== undefined) writeFileSync(join(out, 'continued.png'), readFileSync(join(work, `continued-${seeds[0]}.png`)));
