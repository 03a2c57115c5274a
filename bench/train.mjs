// Times a training step of byteify and of transformers with PyTorch, alternating in one run, with the same weights, rows and patches. Also
// times a matrix product (sgemm) in between, as a measure of the machine's speed.
// Run: npm run bench:train [-- --models smollm2,tiny --rounds 5 --rows 4 --bytes 1024 --threads 2 --modes graph,xla,cpu-xla --both-pages --compile --json]
// The mode cpu-xla is OpenXLA’s plugin for the CPU, which `byteify setup --device cpu-xla` downloads.
// Uses the Python in BYTEIFY_PEERS_PYTHON, or creates the environment of the peer tests (scripts/peers-env.sh).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { trainingFlopsPerByte } from '../dist/blt/index.js';
import { median, openProcess, pause, peersPython } from './process.mjs';
import { MODELS, writeModel } from './train/model.mjs';

const { values } = parseArgs({
  options: {
    models: {
      type: 'string',
      default: Object.keys(MODELS).join(','),
    },
    rounds: { type: 'string', default: '5' },
    rows: { type: 'string', default: '4' },
    bytes: { type: 'string', default: '1024' },
    'bytes-per-patch': { type: 'string', default: '4' },
    threads: { type: 'string', default: '2' },
    modes: { type: 'string', default: 'graph' },
    // Large tensors lie on pages of 2 MiB in byteify, which asks for them, and of 4 KiB in PyTorch. This measures each side in both ways.
    'both-pages': { type: 'boolean', default: false },
    compile: { type: 'boolean', default: false },
    'no-peer': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const [rows, length, bytesPerPatch, threads] = ['rows', 'bytes', 'bytes-per-patch', 'threads'].map((key) =>
  Number(values[key]),
);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const python = peersPython();
const open = (command, args, largePages) => openProcess(command, args, { threads, largePages });

const TURN_MS = 2000;

/** The number of steps in a turn, from the time of the previous turn. The first turn, which compiles, does not count. */
function turnLength({ turns }) {
  if (turns.at(-1) === null) return 1;
  if (turns.length < 2) return 3;
  return Math.min(20, Math.max(1, Math.round(TURN_MS / turns.at(-1).ms)));
}

/** Runs consecutive steps and returns their mean time and the report of the last one; null if the process ended. */
async function turn({ process }, steps) {
  let ms = 0;
  let last = null;
  for (let step = 0; step < steps; step++) {
    last = (await process?.ask('step')) ?? null;
    if (last === null) return null;
    ms += last.ms;
  }
  return { ...last, ms: ms / steps };
}

async function measure(name) {
  const folder = mkdtempSync(join(tmpdir(), 'byteify-bench-'));
  try {
    const config = await writeModel(folder, name, { rows, length });
    const args = [folder, rows, length, bytesPerPatch, threads].map(String);
    const peer = here('train/peer.py');
    const contenders = values.modes.split(',').map((mode) => ({
      ...{ label: `byteify ${mode}`, command: process.execPath, largePages: true },
      list: [here('train/ours.mjs'), ...args, mode],
    }));
    const addPeer = (mode, label) =>
      contenders.push({
        ...{ label: `transformers ${label}`, command: python, largePages: false },
        list: [peer, ...args, mode],
      });
    if (!values['no-peer']) addPeer('eager', 'eager');
    if (values.compile) addPeer('compile', 'compiled');
    if (values['both-pages']) {
      const others = contenders.map((one) => ({
        ...one,
        label: `${one.label}, ${one.largePages ? 'small' : 'large'} pages`,
        largePages: !one.largePages,
      }));
      contenders.push(...others);
    }
    const openGauges = () =>
      Promise.all([
        open(python, [peer, ...args, 'sgemm']),
        open(process.execPath, [here('train/ours.mjs'), ...args, 'sgemm']),
      ]);
    // The faster of PyTorch's and the engine's product counts as the machine's speed.
    const gauge = async (gauges) => {
      await pause();
      const rates = [];
      for (const one of gauges) rates.push((await one.ask('sgemm')).gflops);
      sgemm.push(Math.max(...rates));
    };
    const closeAll = async (processes) => {
      for (const one of processes) await one?.close();
    };
    const { apart = false } = MODELS[name];
    const groups = apart ? contenders.map((one) => [one]) : [contenders];
    const ran = [];
    const sgemm = [];
    for (const group of groups) {
      const gauges = apart ? [] : await openGauges();
      const running = [];
      for (const { label, command, list, largePages } of group)
        running.push({ label, process: await open(command, list, largePages), turns: [] });
      // The first round compiles and allocates; it is reported separately. A turn has several short steps, so that the cost of batches that
      // are prepared ahead is included.
      for (let round = 0; round <= Number(values.rounds); round++) {
        for (const contender of running) {
          await pause();
          contender.turns.push(await turn(contender, round === 0 ? 1 : turnLength(contender)));
        }
        if (!apart) await gauge(gauges);
      }
      await closeAll([...running.map((one) => one.process), ...gauges]);
      ran.push(...running);
      if (apart) {
        const later = await openGauges();
        await gauge(later);
        await closeAll(later);
      }
    }
    const flops = trainingFlopsPerByte(config, { bytes: length, bytesPerPatch }) * rows * length;
    return {
      model: name,
      flops_per_step: flops,
      sgemm_gflops: median(sgemm),
      results: ran.map(({ label, turns }) => result(label, turns, flops, median(sgemm))),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function result(label, turns, flops, gflops) {
  const [first, ...timed] = turns;
  if (timed.some((step) => step === null)) return { label, failed: true };
  const ms = timed.map((step) => step.ms);
  return {
    label,
    first_step_ms: first.ms,
    step_ms: ms,
    median_ms: median(ms),
    bytes_per_second: (rows * (length - 1)) / (median(ms) / 1000),
    share_of_sgemm: flops / (median(ms) * 1e6) / gflops,
    peak_rss_bytes: timed.at(-1).peak_rss_bytes,
    losses: [first.loss, timed.at(-1).loss],
  };
}

const measured = [];
for (const name of values.models.split(',')) {
  const row = await measure(name);
  measured.push(row);
  if (values.json) continue;
  console.log(
    `\n${MODELS[name].title}: ${rows} rows of ${length} bytes, ${(row.flops_per_step / 1e9).toFixed(0)} GFLOP per step, sgemm ${row.sgemm_gflops.toFixed(0)} GFLOP/s`,
  );
  const reference = row.results.find(({ label }) => label === 'transformers eager');
  for (const one of row.results) {
    if (one.failed) {
      console.log(`  ${one.label.padEnd(34)} failed`);
      continue;
    }
    const against = reference?.median_ms ? ` ${(reference.median_ms / one.median_ms).toFixed(2)}x` : '';
    console.log(
      `  ${one.label.padEnd(34)} ${one.median_ms.toFixed(0).padStart(6)} ms${against}  ${one.bytes_per_second.toFixed(0)} bytes/s  ` +
        `${(100 * one.share_of_sgemm).toFixed(0)} % of sgemm  first ${(one.first_step_ms / 1000).toFixed(1)} s  ` +
        `peak ${(one.peak_rss_bytes / 1e9).toFixed(2)} GB  loss ${one.losses.map((loss) => loss.toFixed(4)).join(' -> ')}`,
    );
  }
}
if (values.json) console.log(JSON.stringify(measured, null, 2));
