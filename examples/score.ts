/**
 * Scores each line of a file with a BLT and prints the most surprising ones: what the model expects least, per byte.
 *
 * Set up:  npm install byteify-blt && npx byteify setup && npx byteify demo
 * Run:     node score.ts byteify-demo FILE    (Node 22.18 or newer; before that: npx tsx score.ts ...)
 */
import { readFile } from 'node:fs/promises';
import { openBlt, resolveCheckpoint, scoreTexts, startEngine } from 'byteify-blt';

const [dir, file] = process.argv.slice(2);
if (dir === undefined || file === undefined) {
  console.error('usage: node score.ts DIR FILE');
  process.exit(2);
}

const SHOWN = 5;
/** Lines that are scored at once: enough to be fast, few enough to fit into memory. */
const BATCH = 16;

const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
await startEngine();
// DIR may be a conversion, which holds several checkpoints; the export is preferred.
const { folder } = await resolveCheckpoint(dir);
const model = await openBlt(folder);

const scored: { line: string; bitsPerByte: number; patches: number }[] = [];
for (let from = 0; from < lines.length; from += BATCH) {
  const batch = lines.slice(from, from + BATCH);
  const scores = scoreTexts(
    model.params,
    model.config,
    batch.map((line) => new TextEncoder().encode(line)),
  );
  for (const [i, { nllNats, patchLengths }] of scores.entries()) {
    const nats = nllNats.reduce((sum, each) => sum + each, 0);
    // The first patch is that of BOS, which begins every text.
    scored.push({ line: batch[i]!, bitsPerByte: nats / Math.LN2 / nllNats.length, patches: patchLengths.length - 1 });
  }
}

scored.sort((a, b) => b.bitsPerByte - a.bitsPerByte);
for (const { line, bitsPerByte, patches } of scored.slice(0, SHOWN)) {
  console.log(`${bitsPerByte.toFixed(2)} bits per byte, ${patches} patches: ${line}`);
}
