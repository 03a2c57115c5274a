// Runs a BLT training step for each line on stdin and prints {"ms", "loss", "peak_rss_bytes"}.
// node bench/train/ours.mjs FOLDER ROWS BYTES BYTES_PER_PATCH THREADS MODE
// FOLDER/ids.bin has the ids of the rows as int32. With the MODE sgemm, each line times a matrix product instead.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startEngine, tf } from '../../dist/engine/index.js';
import { openBench } from '../../dist/finetune/index.js';

const [folder, ...numbers] = process.argv.slice(2);
const [rows, length, bytesPerPatch, threads] = numbers.slice(0, 4).map(Number);
const [given] = numbers.slice(4);
/** `cpu-xla`: XLA's plugin for the CPU instead of TensorFlow. */
const device = given === 'cpu-xla' ? 'cpu-xla' : 'cpu';
const mode = /** @type {import('../../dist/engine/index.js').RunMode | 'sgemm'} */ (
  given === 'cpu-xla' ? 'xla' : given
);

/** The rows of every step. */
function readRows() {
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

/** The GFLOP/s of the fastest of several products of square matrices. */
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

await startEngine({ threads, device });
if (mode === 'sgemm') {
  console.log('READY');
  for await (const _line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify({ gflops: sgemmGflops() }));
  process.exit();
}
const bench = await openBench(folder, { rows, rowBytes: length, mode, bytesPerPatch, given: readRows() });
console.log('READY');
for await (const _line of createInterface({ input: process.stdin })) {
  const { ms, loss } = await bench.step();
  console.log(JSON.stringify({ ms, loss, peak_rss_bytes: process.resourceUsage().maxRSS * 1024 }));
}
await bench.close();
