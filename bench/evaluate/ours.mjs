// Answers the items on each line of stdin, as the suites do, and prints {"ms", "nats"}. Usage: ours.mjs FOLDER THREADS
import { createInterface } from 'node:readline';
import { startEngine } from '../../dist/engine/index.js';
import { openBltModel } from '../../dist/evaluate/index.js';
import { openResidentModel } from '../../dist/model/index.js';

const [folder, threads] = process.argv.slice(2);
await startEngine({ threads: Number(threads) });
const model = openBltModel(await openResidentModel(folder, { weights: 'float32' }));
const { signal } = new AbortController();
console.log('READY');
for await (const line of createInterface({ input: process.stdin })) {
  const items = JSON.parse(line).map(({ shared, prompt, continuations }, i) => ({
    ...{ id: `${i}`, groups: [], answer: 0, writing: null },
    shared: Buffer.from(shared),
    prompt: Buffer.from(prompt),
    continuations: continuations.map((text) => Buffer.from(text)),
  }));
  // Another beginning, so that the shared one is read within the time, as in a first evaluation.
  const [first] = items;
  await model.answer(
    { ...first, shared: Buffer.from('-'), prompt: Buffer.alloc(0), continuations: [Buffer.from('-')] },
    signal,
  );
  const begun = performance.now();
  const nats = [];
  for (const item of items) nats.push(...(await model.answer(item, signal)).nats);
  console.log(JSON.stringify({ ms: performance.now() - begun, nats }));
}
process.exit(0);
