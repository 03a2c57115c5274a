// Tests a server under load: concurrent streams, whose text is compared with what the server generates for the same prompt alone; clients
// that disconnect midway; requests that are malformed or too large; clients that send or read slowly. No stream may be lost or mixed up,
// and memory must stay bounded.
// Run: npm run bench:serve [-- --model DIR --streams 64 --seconds 60 --slots 8 --out docs/bench/serve]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { roomyGolden } from '../test/support/roomy-golden.mjs';
import { REFUSED, SLOW, stream } from './serve/clients.mjs';
import { startServer } from './serve/server.mjs';
import { markdownOf } from './serve/summary.mjs';
import { gapsOf } from './serve/ties.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    streams: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '60' },
    slots: { type: 'string', default: '8' },
    out: { type: 'string' },
  },
});
const [streams, seconds] = [values.streams, values.seconds].map(Number);
/** The longest text that a client requests, in bytes. */
const LONGEST_BYTES = 4000;
/** The percentage of streams that their clients abandon. */
const ABANDONED_PERCENT = 15;
/** Two logits closer than this are a tie: logits depend by as much on how they are computed (test/model/decoding). */
const TIE = 1e-4;
const REFUSED_EVERY_MS = 250;
const SLOW_CLIENTS = 2;
const WARM_UP_SECONDS = 10;

const WORDS = [
  'The byte ',
  'One patch',
  'b',
  'naïve café',
  '東京',
  'What is it?',
  'x = y + 1',
  'Ωμέγα',
  '{"a": ',
  '12, 13, ',
];
const texts = Array.from({ length: 30 }, (_, i) => ({
  prompt: `${'-'.repeat((i % 6) * 50)}${i} ${WORDS[i % WORDS.length]}`,
  maxBytes: 24 + ((i * 37) % 100),
}));

const log = (line) => process.stderr.write(`${line}\n`);
const quantile = (numbers, part) =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))];

const work = mkdtempSync(join(tmpdir(), 'byteify-bench-serve-'));
try {
  const folder = values.model ?? roomyGolden(work);
  const limits = ['--max-waiting', String(2 * streams), '--max-prompt-bytes', '2000', '--max-body', '64kB'];
  const server = await startServer([folder, '--slots', values.slots, ...limits]);
  const { url } = server;
  log(`${url}: generating ${texts.length} texts one at a time`);
  const alone = [];
  for (const text of texts) alone.push((await stream(url, text)).bytes);
  // Caches grow to the longest text so far, and larger caches are compiled again: this happens here and not later.
  await stream(url, { prompt: 'a', maxBytes: LONGEST_BYTES });

  const counts = { equal: 0, left: 0, lost: 0 };
  const diverged = [];
  const firstByteMs = [];
  const refused = Object.fromEntries(Object.keys(REFUSED).map((name) => [name, { count: 0, right: 0 }]));
  const slow = Object.fromEntries(Object.keys(SLOW).map((name) => [name, 0]));
  const over = new AbortController();
  const before = await server.metrics();
  const begun = performance.now();
  const running = () => !over.signal.aborted;

  async function streamOn(worker) {
    for (let turn = 0; running(); turn++) {
      const which = (worker * 7 + turn * 11) % texts.length;
      const abandons = (worker * 31 + turn * 17) % 100 < ABANDONED_PERCENT;
      const text = texts[which];
      try {
        const found = await stream(url, abandons ? { ...text, leaveAfter: 1 + ((worker + turn) % 20) } : text);
        firstByteMs.push(found.firstMs);
        const isAlone = found.bytes.every((byte, i) => byte === alone[which][i]);
        if (isAlone && found.finish === null) counts.left++;
        else if (isAlone && found.bytes.length === alone[which].length) counts.equal++;
        else diverged.push({ prompt: text.prompt, alone: alone[which], together: found.bytes });
      } catch (error) {
        counts.lost++;
        log(`lost: ${error.message}`);
      }
    }
  }

  async function refuseOn() {
    const kinds = Object.entries(REFUSED);
    for (let turn = 0; running(); turn++) {
      const [name, { status, send }] = kinds[turn % kinds.length];
      const answer = await send(url).catch((error) => error);
      refused[name].count++;
      if (answer.status === status) refused[name].right++;
      else log(`${name}: ${answer.status ?? answer.cause ?? answer}`);
      await answer.body?.cancel();
      await pause(REFUSED_EVERY_MS);
    }
  }

  async function slowOn(name) {
    while (running()) {
      slow[name]++;
      await SLOW[name](url, over.signal);
    }
  }

  const memory = [];
  async function watch() {
    while (running()) {
      memory.push((await server.metrics()).process_resident_memory_bytes);
      await pause(1000, undefined, { signal: over.signal }).catch(() => undefined);
    }
  }

  log(`${streams} streams for ${seconds} s`);
  const clients = [
    ...Array.from({ length: streams }, (_, worker) => streamOn(worker)),
    refuseOn(),
    watch(),
    ...Object.keys(SLOW).flatMap((name) => Array.from({ length: SLOW_CLIENTS }, () => slowOn(name))),
  ];
  await pause(seconds * 1000);
  const written = (await server.metrics()).byteify_written_bytes_total - before.byteify_written_bytes_total;
  const rate = (written * 1000) / (performance.now() - begun);
  over.abort();
  await Promise.all(clients);
  // Streams that their clients abandoned must not continue.
  await pause(1000);
  const { running: still, waiting } = await server.health();
  const { byteify_slow_clients_total: dropped } = await server.metrics();
  const { code, stderr } = await server.stop();
  log(stderr);
  const gaps = await gapsOf(folder, diverged);
  const result = {
    model: values.model === undefined ? 'The golden model of the tests' : basename(values.model),
    machine: `${cpus().length} cores, ${cpus()[0].model}, Node ${process.versions.node}`,
    streams,
    seconds,
    slots: Number(values.slots),
    texts: {
      ...counts,
      ties: gaps.filter((gap) => gap < TIE).length,
      different: gaps.filter((gap) => !(gap < TIE)).length,
    },
    gaps,
    refused,
    slow,
    memory: [memory[Math.min(WARM_UP_SECONDS, memory.length - 1)], memory.at(-1), Math.max(...memory)],
    latency: [0.5, 0.95, 1].map((part) => quantile(firstByteMs, part)),
    rate,
    after: { texts: still + waiting, dropped, exit_code: code },
  };
  const markdown = markdownOf(result);
  process.stdout.write(markdown);
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(
      join(values.out, 'serve.json'),
      `${JSON.stringify({ ...result, memory_every_second: memory }, null, 2)}\n`,
    );
    writeFileSync(join(values.out, 'serve.md'), markdown);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit();
