// Several processes that train one model: how they scale, what happens when one is lost, and whether text is lost or repeated then.
// Run: npm run bench:scale-out -- --start DIR --data FILE --work DIR [--parts scaling,faults,kills,prepare --kills 20 --out docs/bench/scale-out]
// DIR is a BLT checkpoint folder. Needs Linux (taskset, /proc); the full disk needs the right to mount one.
import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bltTensors, readBltConfig } from '../dist/blt/index.js';
import { elementCount } from '../dist/safetensors/index.js';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { publish } from './report.mjs';
import { faults } from './scale-out/faults.mjs';
import { kills } from './scale-out/kills.mjs';
import { prepare } from './scale-out/prepare.mjs';
import { scaling } from './scale-out/scaling.mjs';

const { values } = parseArgs({
  options: {
    start: { type: 'string' },
    data: { type: 'string' },
    work: { type: 'string' },
    parts: { type: 'string', default: 'scaling,faults,kills,prepare' },
    kills: { type: 'string', default: '20' },
    out: { type: 'string' },
  },
});
const { start, data, work, out } = values;
if (start === undefined) misuse('--start names a BLT checkpoint folder');
if (data === undefined) misuse('--data names text');
if (work === undefined) misuse('--work names a folder for runs');
const parts = values.parts.split(',');
mkdirSync(work, { recursive: true });

const [ROWS, ROW_BYTES] = [8, 512];
const SETTINGS = [
  'stages.0.steps=8',
  'stages.0.warmup_steps=1',
  'stages.0.learning_rate=1e-4',
  `stages.0.batch_bytes=${ROWS * ROW_BYTES}`,
  `stages.0.sequence_length=${ROW_BYTES}`,
  'stages.0.micro_batch_size=4',
  'stages.0.validate_every=1000',
  'stages.0.checkpoint_every=1000',
  'evaluate.validation_bytes=1024',
  'hardware.mode=graph',
];

const bench = {
  ...{ work, data },
  /** The arguments of a training in a folder. */
  training: (folder, sets) => [
    ...['finetune', start, '--recipe', 'tiny-paper', '--data', data, '--out', folder],
    ...[...SETTINGS, ...sets].flatMap((set) => ['--set', set]),
    ...['--device', 'cpu', '--threads', '1'],
  ],
};

/** Bytes of the gradients of all parameters that a step updates completely. */
async function denseGradientBytes() {
  const specs = bltTensors(await readBltConfig(start)).filter(({ part }) => part !== 'hash' && part !== 'patcher');
  return 4 * specs.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

const report = { cores: availableParallelism() };
const sections = [];
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

if (parts.includes('scaling')) {
  const gradientBytes = await denseGradientBytes();
  report.gradient_bytes = gradientBytes;
  report.scaling = await scaling(bench, {
    counts: [1, 2, 4],
    rows: ROWS,
    rowBytes: ROW_BYTES,
    steps: 15,
    gradientBytes,
  });
  const rows = report.scaling.map((result) => [
    result.processes,
    result.apart_ms.toFixed(0),
    result.ms.toFixed(0),
    `${(100 * result.efficiency).toFixed(0)} %`,
    result.predicted_ms.toFixed(0),
    megabytes(result.wire_bytes_per_step),
    megabytes(result.wire_bytes_without_hash_rows),
    megabytes(result.least_wire_bytes_without_hash_rows),
  ]);
  const heads = [
    ...['processes', 'ms per step, apart', 'together', 'efficiency', 'predicted ms'],
    ...['MB on the wire per step', 'without hash rows', 'at least'],
  ];
  sections.push(`## Weak scaling\n\n${table(heads, rows, { numbers: true })}`);
}
if (parts.includes('faults')) {
  report.faults = await faults(bench);
  const rows = report.faults.map(({ what, seconds, exit_code: code, message }) => [
    what,
    seconds === null ? '' : seconds.toFixed(1),
    code ?? '',
    message,
  ]);
  sections.push(`## Faults\n\n${table(['what happens', 'seconds until noticed', 'exit code', 'message'], rows)}`);
}
if (parts.includes('kills')) {
  report.kills = await kills(bench, { kills: Number(values.kills), steps: 200, mostMs: 8000 });
  const { kills: done, of_rank: ofRank, steps, different_steps: different } = report.kills;
  const ranks = ofRank.map((count, rank) => `${count} of process ${rank}`).join(', ');
  sections.push(
    `## Kills\n\n${done} kills at random times (${ranks}), each followed by a restart: of ${steps} steps, ${different} read other text or had another loss than without.`,
  );
}
if (parts.includes('prepare')) {
  report.prepare = await prepare(bench, { rounds: 3 });
  const rows = report.prepare.map(({ way, seconds, bytes_per_second: rate }) => [
    way,
    seconds.toFixed(1),
    megabytes(rate),
  ]);
  sections.push(`## Preparing data\n\n${table(['', 'seconds', 'MB/s'], rows, { numbers: true })}`);
}
publish(out, 'scale-out', { report, markdown: sections.join('\n\n') });
rmSync(join(work, 'clock.cjs'), { force: true });
