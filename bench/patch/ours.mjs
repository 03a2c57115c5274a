// Segments the first bytes of FOLDER/text, as many as each line on stdin states, and prints {"ms", "entropies"}.
// node bench/patch/ours.mjs FOLDER THREADS
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startEngine } from '../../dist/engine/index.js';
import { openResidentModel, openSegmenter } from '../../dist/model/index.js';

const [folder, threads] = process.argv.slice(2);
await startEngine({ threads: Number(threads) });
const segmenter = openSegmenter(await openResidentModel(folder, { only: 'patcher' }));
const text = readFileSync(join(folder, 'text'));
console.log('READY');
for await (const line of createInterface({ input: process.stdin })) {
  const begun = performance.now();
  const { entropyNats } = await segmenter.segment(text.subarray(0, Number(line)));
  const ms = performance.now() - begun;
  console.log(JSON.stringify({ ms, entropies: Array.from(entropyNats) }));
}
