// Compares how fast the suites of `byteify evaluate` score with an export and how fast transformers does, alternating in one run: whole documents,
// and multiple choice with examples that all questions share.
// Run: npm run bench:evaluate-speed [-- --model DIR --rounds 3 --threads 2 --questions 8 --out docs/bench/evaluate]
// Without --model a BLT of SmolLM2-135M's size with random weights, which cuts every fifth byte. Uses the Python in BYTEIFY_PEERS_PYTHON, or that of scripts/peers-env.sh.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bltConfigFor, deriveLocalSizes } from '../dist/blt/index.js';
import { table } from './markdown-table.mjs';
import { median, openProcess, pause, peersPython } from './process.mjs';
import { writeRandomBlt } from './random-blt.mjs';
import { beginningOf, realText } from './real-text.mjs';
import { publish } from './report.mjs';
import { SOURCE_SIZES } from './source-sizes.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    questions: { type: 'string', default: '8' },
    out: { type: 'string' },
  },
});
const [rounds, threads, questions] = [values.rounds, values.threads, values.questions].map(Number);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const SHARED_BYTES = 1200;
const DOCUMENT_BYTES = 2048;
const PATCH_BYTES = 5;
const CHOICES = [' yes, that is so', ' no, never', ' only on Mondays', ' nobody knows'];

/** What is scored: a document, and questions of four choices after the same five examples. */
function workloads() {
  const text = realText(SHARED_BYTES + 2 * DOCUMENT_BYTES).toString();
  const shared = beginningOf(Buffer.from(text), SHARED_BYTES).toString();
  const asked = Array.from({ length: questions }, (_, i) => ({
    shared,
    prompt: `Question: is ${i} larger than ${7 * i}?\nAnswer:`,
    continuations: CHOICES,
  }));
  const document = beginningOf(Buffer.from(text), DOCUMENT_BYTES).toString();
  return [
    { name: `a document of ${DOCUMENT_BYTES} bytes`, items: [{ shared: '', prompt: '', continuations: [document] }] },
    { name: `${questions} questions, ${CHOICES.length} choices, ${SHARED_BYTES} bytes shared`, items: asked },
  ];
}

/** Bytes that are scored or read for it, each prompt counted once per choice: what a harness would read. */
const bytesOf = (items) =>
  items.reduce(
    (sum, { shared, prompt, continuations }) =>
      sum + continuations.reduce((total, one) => total + Buffer.byteLength(shared + prompt + one), 0),
    0,
  );

const folder = mkdtempSync(join(tmpdir(), 'byteify-bench-evaluate-'));
try {
  const source = SOURCE_SIZES['smollm2-135m'];
  const config = bltConfigFor(source, deriveLocalSizes(source));
  // Entropies of random weights say nothing, and cutting at every byte would time a model that nobody trains.
  const patching = { threshold: 100, maxPatchLength: PATCH_BYTES };
  if (values.model === undefined)
    await writeRandomBlt(folder, { ...config, patching: { ...config.patching, ...patching } });
  const args = [values.model ?? folder, String(threads)];
  const sides = [
    await openProcess(process.execPath, [here('evaluate/ours.mjs'), ...args], { threads }),
    await openProcess(peersPython(), [here('evaluate/peer.py'), ...args], { threads }),
  ];
  const rows = [];
  for (const { name, items } of workloads()) {
    const line = JSON.stringify(items);
    const answers = [[], []];
    for (let round = 0; round <= rounds; round++)
      for (const [i, side] of sides.entries()) {
        const answer = await side.ask(line);
        // The first round traces and warms up.
        if (round > 0) answers[i].push(answer);
        await pause();
      }
    const [ours, theirs] = answers.map((all) => median(all.map(({ ms }) => ms)));
    const differences = answers[0][0].nats.map((nats, i) => Math.abs(nats - answers[1][0].nats[i]));
    rows.push({
      ...{ name, bytes: bytesOf(items), ms: ours, transformers_ms: theirs, times_faster: theirs / ours },
      largest_difference_nats: Math.max(...differences),
    });
    console.error(JSON.stringify(rows.at(-1)));
  }
  for (const side of sides) await side.close();
  const cells = rows.map((row) => [
    row.name,
    ...[row.ms, row.transformers_ms].map((ms) => (ms / 1000).toFixed(2)),
    `${row.times_faster.toFixed(1)} x`,
    row.largest_difference_nats.toPrecision(2),
  ]);
  const heads = ['what is scored', 'byteify, s', 'transformers, s', 'faster', 'largest difference, nats'];
  publish(values.out, 'speed', {
    report: { command: 'npm run bench:evaluate-speed', threads, rounds, workloads: rows },
    markdown: table(heads, cells, { numbers: true }),
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
