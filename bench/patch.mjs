// Compares how fast byteify and transformers with PyTorch segment text into patches, alternating in one run: a patcher of the released size
// with the same random weights, the same text, and lengths up to many attention windows. Also compares the entropies.
// Run: npm run bench:patch [-- --lengths 1024,2048,4096,8192 --rounds 3 --threads 2 --text FILE --out docs/bench/patch]
// Uses the Python in BYTEIFY_PEERS_PYTHON, or creates the environment of the peer tests (scripts/peers-env.sh).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bltConfigFor, deriveLocalSizes } from '../dist/blt/index.js';
import { median, openProcess, pause, peersPython } from './process.mjs';
import { writeRandomBlt } from './random-blt.mjs';
import { beginningOf, realText } from './real-text.mjs';
import { SOURCE_SIZES } from './source-sizes.mjs';

const { values } = parseArgs({
  options: {
    lengths: { type: 'string', default: '1024,2048,4096,8192' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    text: { type: 'string' },
    out: { type: 'string' },
  },
});
const lengths = values.lengths.split(',').map(Number);
const [rounds, threads] = [values.rounds, values.threads].map(Number);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A tiny BLT with a patcher of the released size. */
function bltWithReleasedPatcher() {
  const source = SOURCE_SIZES['tiny-llama'];
  const config = bltConfigFor(source, deriveLocalSizes(source));
  const heads = { heads: 12, kvHeads: 12 };
  const patcher = { ...config.patcher, hiddenSize: 768, layers: 14, ...heads, intermediateSize: 2048, window: 512 };
  const maxPositions = Math.max(...lengths) + 1;
  return { ...config, maxPositions, patcher: { ...patcher, maxPositions } };
}

/** Both implementations also pass BOS through the patcher, which is not counted. */
function rowOf(length, ours, theirs) {
  const rate = (answers) => length / (median(answers.map(({ ms }) => ms)) / 1000);
  const [a, b] = [ours, theirs].map((answers) => answers[0].entropies);
  return {
    bytes: length,
    bytes_per_second: rate(ours),
    transformers_bytes_per_second: rate(theirs),
    times_faster: rate(ours) / rate(theirs),
    ms: ours.map(({ ms }) => ms),
    transformers_ms: theirs.map(({ ms }) => ms),
    largest_entropy_difference_nats: Math.max(...a.map((nats, i) => Math.abs(nats - b[i]))),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'byteify-bench-patch-'));
try {
  await writeRandomBlt(folder, bltWithReleasedPatcher());
  const text = realText(Math.max(...lengths), values.text);
  writeFileSync(join(folder, 'text'), text);
  const args = [folder, String(threads)];
  const implementations = [
    await openProcess(process.execPath, [here('patch/ours.mjs'), ...args], { threads }),
    await openProcess(peersPython(), [here('patch/peer.py'), ...args], { threads }),
  ];
  const rows = [];
  for (const length of lengths) {
    const bytes = beginningOf(text, length).length;
    const answers = [[], []];
    // The first round compiles and allocates and is not counted.
    for (let round = 0; round <= rounds; round++) {
      for (const [i, one] of implementations.entries()) {
        await pause();
        const answer = await one.ask(bytes);
        if (round > 0) answers[i].push(answer);
      }
    }
    rows.push(rowOf(bytes, ...answers));
  }
  for (const one of implementations) await one.close();
  const lines = rows.map((row) => {
    const rates = [row.bytes_per_second, row.transformers_bytes_per_second].map((rate) => rate.toFixed(0));
    const difference = row.largest_entropy_difference_nats.toExponential(1);
    return `| ${row.bytes.toLocaleString('en')} | ${rates.join(' | ')} | ${row.times_faster.toFixed(2)}x | ${difference} |`;
  });
  const table = [
    '| bytes | byteify, bytes/s | transformers, bytes/s | faster | largest difference of entropies, nats |',
    '| ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n');
  process.stdout.write(`${table}\n`);
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    const report = { command: 'npm run bench:patch', threads, rounds, rows };
    writeFileSync(join(values.out, 'patch.json'), `${JSON.stringify(report, null, 2)}\n`);
    writeFileSync(join(values.out, 'patch.md'), `${table}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
