// One BLT training step for each line on stdin; prints {"ms", "loss", "peak_rss_bytes"}.
// node bench/train/ours.mjs FOLDER ROWS BYTES BYTES_PER_PATCH THREADS MODE, where MODE may be sgemm: then each line times a product; FOLDER/ids.bin holds the rows' ids, int32.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startEngine, tf } from '../../dist/engine/index.js';
import { openBench } from '../../dist/finetune/index.js';

const [folder, ...numbers] = process.argv.slice(2);
const [rows, length, bytesPerPatch, threads] = numbers.slice(0, 4).map(Number);
const mode = numbers[4];

/** The same rows at every step. */
function given() {
  const file = readFileSync(join(folder, 'ids.bin'));
  const all = new Int32Array(file.buffer, file.byteOffset, file.length / 4);
  return Array.from({ length: rows }, (_, row) => {
    const ids = all.slice(row * length, (row + 1) * length);
    const targets = new Int32Array(length);
    targets.set(ids.subarray(1));
    const weights = new Float32Array(length).fill(1);
    weights[length - 1] = 0;
    return { ids, targets, weights, documents: [{ start: 0, end: length }], byteCount: length - 1, number: row };
  });
}

/** The best of several products of 2048 x 2048 matrices. */
function sgemmGflops(size = 2048, repeats = 4) {
  const a = tf.fill([size, size], 0.5);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const begun = performance.now();
    const product = tf.matMul(a, a);
    product.dataSync();
    best = Math.min(best, performance.now() - begun);
    product.dispose();
  }
  a.dispose();
  return (2 * size ** 3) / (best * 1e6);
}

await startEngine({ threads });
if (mode === 'sgemm') {
  console.log('READY');
  for await (const _line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify({ gflops: sgemmGflops() }));
  process.exit();
}
const bench = await openBench(folder, { rows, rowBytes: length, mode, bytesPerPatch, given: given() });
console.log('READY');
for await (const _line of createInterface({ input: process.stdin })) {
  const { ms, loss } = await bench.step();
  console.log(JSON.stringify({ ms, loss, peak_rss_bytes: process.resourceUsage().maxRSS * 1024 }));
}
await bench.close();
