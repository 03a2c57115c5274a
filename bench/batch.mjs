// Measures the cost of preparing a batch without the patcher: packing rows, then segmenting, hashing and finding the sparse row indices.
// Compares this process with the worker thread that prepares batches in a training run, including the round trip.
// Run: npm run bench:batch [-- --rows 4 --bytes 1024,8192 --steps 100 --json]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bltConfigFor, deriveLocalSizes } from '../dist/blt/index.js';
import { buildStore, openStore, PACKER_START, textDomain } from '../dist/data/index.js';
import { createPreparer } from '../dist/finetune/batches/batch-preparer.js';
import { openPreparer } from '../dist/finetune/batches/open-preparer.js';
import { median } from './process.mjs';
import { SOURCE_SIZES } from './source-sizes.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '4' },
    bytes: { type: 'string', default: '1024,8192' },
    steps: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const steps = Number(values.steps);
const WARM_UP_STEPS = 20;
const BYTES_PER_PATCH = 4.5;
const OPENERS = { 'in this process': createPreparer, 'in the worker thread': openPreparer };

/** A BLT of this width gets the hash tables of the released models: 6 x 500,002 rows. */
const SOURCE = SOURCE_SIZES['llama-3.2-1b'];
const config = {
  ...bltConfigFor(SOURCE, deriveLocalSizes(SOURCE)),
  patching: { threshold: 1 - 1 / BYTES_PER_PATCH, maxPatchLength: null },
};

/** The milliseconds of packing and of the other work, each the median over all steps. */
async function measure(open, files, rowBytes) {
  const source = { kind: 'packed', files, rowBytes, seed: 1, state: PACKER_START, repeat: false };
  const needs = { patched: true, source: null, weights: 'weights', trainsTable: true };
  const settings = { ...needs, rowsPerStep: rows, microBatchRows: rows, capacity: { patches: 0, tokens: 0 } };
  const preparer = open({ ...settings, rows: source, config });
  const randomEntropies = () => [
    { entropies: Float32Array.from({ length: rows * rowBytes }, Math.random), endProbabilities: null },
  ];
  const times = { pack: [], batch: [] };
  try {
    for (let step = -WARM_UP_STEPS; step < steps; step++) {
      const entropies = randomEntropies();
      const begun = performance.now();
      await preparer.pack();
      const packed = performance.now();
      await preparer.batch(entropies);
      if (step < 0) continue;
      times.pack.push(packed - begun);
      times.batch.push(performance.now() - packed);
    }
  } finally {
    await preparer.close();
  }
  return { pack_ms: median(times.pack), batch_ms: median(times.batch) };
}

const work = mkdtempSync(join(tmpdir(), 'byteify-bench-'));
const results = [];
try {
  const text = fileURLToPath(new URL('../test/fixtures/text', import.meta.url));
  const store = { out: work, validationFraction: 0.05, seed: 1, textKey: 'text' };
  await buildStore({ ...store, domains: [textDomain([text], 65_536)] });
  const { train, close } = await openStore(work);
  await close();
  for (const rowBytes of values.bytes.split(',').map(Number)) {
    for (const [where, open] of Object.entries(OPENERS)) {
      const { pack_ms, batch_ms } = await measure(open, train.files, rowBytes);
      const bytes_per_second = (rows * rowBytes * 1000) / (pack_ms + batch_ms);
      results.push({ rows, sequence_length: rowBytes, where, pack_ms, batch_ms, bytes_per_second });
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

if (values.json) console.log(JSON.stringify(results, null, 2));
else {
  for (const { sequence_length, where, pack_ms, batch_ms, bytes_per_second } of results) {
    const times = `packing ${pack_ms.toFixed(2)} ms, segmenting and hashing ${batch_ms.toFixed(2)} ms`;
    console.log(`${rows} x ${sequence_length} ${where}: ${(bytes_per_second / 1e6).toFixed(2)} MB/s (${times})`);
  }
}
