// One BLT training step for each line on stdin; prints {"ms", "loss", "peak_rss_bytes"}.
// node bench/train/ours.mjs FOLDER ROWS BYTES BYTES_PER_PATCH THREADS MODE; FOLDER/ids.bin holds the rows' ids, int32.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startEngine } from '../../dist/engine/index.js';
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
    return { ids, targets, weights, chunks: [{ start: 0, end: length }], byteCount: length - 1 };
  });
}

await startEngine({ threads });
const bench = await openBench(folder, { rows, rowBytes: length, mode, bytesPerPatch, given: given() });
console.log('READY');
for await (const _line of createInterface({ input: process.stdin })) {
  const { ms, loss } = await bench.step();
  console.log(JSON.stringify({ ms, loss, peak_rss_bytes: process.resourceUsage().maxRSS * 1024 }));
}
await bench.close();
