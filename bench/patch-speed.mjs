// Measures how fast one model generates text with patches of several sizes: the same weights, with a threshold for each size. The sizes take turns.
// Run: npm run bench:patch-speed -- --conversion DIR [--sizes 3.5,4.5,6,8 --bytes 128 --rounds 3 --threads 2 --out docs/bench/patch-speed]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeBytes } from '../dist/blt/index.js';
import { resolveCheckpoint } from '../dist/conversion/index.js';
import { allTexts, evaluationTexts, openingTexts, openStore } from '../dist/data/index.js';
import { startEngine } from '../dist/engine/index.js';
import { calibrate, withThreshold } from '../dist/finetune/index.js';
import { openGenerator, PLAIN_SAMPLING } from '../dist/generate/index.js';
import { disposeParams, loadPatcher, openResidentModel } from '../dist/model/index.js';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { median } from './process.mjs';
import { publish } from './report.mjs';

const { values } = parseArgs({
  options: {
    conversion: { type: 'string' },
    sizes: { type: 'string', default: '3.5,4.5,6,8' },
    bytes: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
});
if (values.conversion === undefined) misuse('--conversion names a finished conversion');
const sizes = values.sizes.split(',').map(Number);
const [bytes, rounds, threads] = [values.bytes, values.rounds, values.threads].map(Number);

/** Held-out text for the thresholds. */
const CALIBRATION_BYTES = 131_072;
const PROMPT_BYTES = 512;

await startEngine({ threads });
const { folder } = await resolveCheckpoint(values.conversion);
const store = await openStore(join(values.conversion, 'data'));
const texts = allTexts(await evaluationTexts(store.validation, { maxBytes: CALIBRATION_BYTES }));
const prompts = allTexts(
  await openingTexts(store.validation, { maxBytes: rounds * PROMPT_BYTES, openingBytes: PROMPT_BYTES }),
);
await store.close();

const resident = await openResidentModel(folder, { weights: 'bfloat16' });
const patcher = await loadPatcher(folder, resident.config);
const contestants = [];
for (const size of sizes) {
  const { threshold, bytesPerPatch } = calibrate(patcher, resident.config, texts, size);
  const generator = openGenerator(
    { ...resident, config: withThreshold(resident.config, threshold) },
    { expectedBytes: bytes },
  );
  await generator.warmUp();
  contestants.push({ size, bytesPerPatch, generator, runs: [] });
}
disposeParams(patcher);

/** The bytes that a generator writes after a prompt, its patches, and the milliseconds after its first byte. */
async function write(generator, prompt, seed) {
  const sampling = { ...PLAIN_SAMPLING, temperature: 0.7 };
  const request = { prompt: [...encodeBytes(prompt)], maxBytes: bytes, sampling, seed, stops: [] };
  let [written, patches, begun] = [0, 0, 0];
  for await (const part of generator.generate(request)[0]) {
    if (begun === 0) {
      begun = performance.now();
      continue;
    }
    written += part.bytes.length;
    patches += part.beginsPatch.filter((begins) => begins).length;
  }
  return { written, patches, ms: performance.now() - begun };
}

for (const [round, prompt] of prompts.entries())
  for (const { size, generator, runs } of contestants) {
    const run = await write(generator, prompt, round);
    process.stderr.write(`round ${round + 1}, ${size} bytes: ${((1000 * run.written) / run.ms).toFixed(1)} bytes/s\n`);
    // A text that ends at once measures nothing.
    if (run.written >= bytes / 4) runs.push(run);
  }

const results = contestants.map(({ size, bytesPerPatch, runs }) => ({
  target: size,
  bytes_per_patch_held_out: bytesPerPatch,
  bytes_per_patch_written:
    runs.reduce((sum, { written }) => sum + written, 0) / runs.reduce((sum, { patches }) => sum + patches, 0),
  bytes_per_second: runs.map(({ written, ms }) => (1000 * written) / ms),
}));
publish(values.out, 'patch-speed', {
  report: { command: 'npm run bench:patch-speed', bytes, rounds, threads, results },
  markdown: table(
    ['bytes per patch, of held-out text', 'of the text that is written', 'bytes/s, median'],
    results.map(({ bytes_per_patch_held_out: held, bytes_per_patch_written: own, bytes_per_second: rates }) => [
      held.toFixed(2),
      own.toFixed(2),
      median(rates).toFixed(1),
    ]),
    { numbers: true },
  ),
});
process.exit();
