// Trains a BLT folder for two steps in graph mode and prints the process's peak memory in bytes.
// Run: node test/support/train-peak.mjs FOLDER ROWS BYTES OPTIONS_AS_JSON
import { startEngine } from '../../dist/engine/index.js';
import { openBench } from '../../dist/finetune/index.js';

const [folder, rows, rowBytes, options] = process.argv.slice(2);
await startEngine({ threads: 2 });
const bench = await openBench(folder, {
  rows: Number(rows),
  rowBytes: Number(rowBytes),
  mode: 'graph',
  bytesPerPatch: 4,
  ...JSON.parse(options),
});
for (let step = 0; step < 2; step++) await bench.step();
await bench.close();
console.log(process.resourceUsage().maxRSS * 1024);
