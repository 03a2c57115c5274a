// Shows that the memory of an evaluation does not grow with the number of items: peak memory of processes that ask a BLT of the embedded model's
// size, with random weights, ever more multiple-choice questions.
// Run: npm run bench:evaluate-memory [-- --items 20 --items 100 --items 400 --threads 2 --out docs/bench/evaluate]
// --items is the number of items of each of the 16 tasks.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bltConfigFor, deriveLocalSizes } from '../dist/blt/index.js';
import { startEngine } from '../dist/engine/index.js';
import { evaluateSuites, SUITES } from '../dist/evaluate/index.js';
import { createReporter } from '../dist/ui/index.js';
import { table } from './markdown-table.mjs';
import { writeRandomBlt } from './random-blt.mjs';
import { publish } from './report.mjs';
import { SOURCE_SIZES } from './source-sizes.mjs';

const { values } = parseArgs({
  options: {
    items: { type: 'string', multiple: true, default: ['20', '100', '400'] },
    threads: { type: 'string', default: '2' },
    out: { type: 'string' },
    child: { type: 'string' },
  },
});

/** Asks one number of items per task, in a process of its own. */
async function evaluateOnce(folder) {
  const limit = Number(values.items[0]);
  await startEngine({ threads: Number(values.threads) });
  const suite = SUITES.find(({ name }) => name === 'choice');
  const begun = performance.now();
  const [result] = await evaluateSuites({
    ...{ dir: folder, data: [], textKey: 'text', limit, maxBytes: 0, seed: 1, source: null },
    suites: [{ suite, settings: suite.settings }],
    out: join(folder, `evaluation-${limit}`),
    reporter: createReporter({ stream: process.stderr, env: process.env, json: true }),
    signal: new AbortController().signal,
  });
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    JSON.stringify({ items: result.item_count, seconds, peak_rss_bytes: process.resourceUsage().maxRSS * 1024 }),
  );
}

const childArgs = (folder, items) => [
  fileURLToPath(import.meta.url),
  ...['--child', folder, '--items', items, '--threads', values.threads],
];

if (values.child !== undefined) {
  await evaluateOnce(values.child);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'byteify-bench-evaluate-'));
try {
  const source = SOURCE_SIZES['tiny-llama'];
  await writeRandomBlt(folder, bltConfigFor(source, deriveLocalSizes(source)));
  const rows = values.items.map((items) => {
    const child = spawnSync(process.execPath, childArgs(folder, items), { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(child.stderr);
    return JSON.parse(child.stdout);
  });
  const cells = rows.map(({ items, seconds, peak_rss_bytes }) => [
    ...[items.toLocaleString('en'), seconds.toFixed(1), (peak_rss_bytes / 1e6).toFixed(0)],
  ]);
  publish(values.out, 'memory', {
    report: { command: 'npm run bench:evaluate-memory', rows },
    markdown: table(['items', 'seconds', 'peak memory, MB'], cells, { numbers: true }),
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
