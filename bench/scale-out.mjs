// Several processes that train one model: how they scale, what happens when one is lost, and whether text is lost or repeated then.
// Run: npm run bench:scale-out -- --start DIR --data FILE --work DIR [--parts scaling,faults,kills,prepare --kills 20 --out docs/bench/scale-out]
// DIR is a BLT checkpoint folder. Needs Linux (taskset, /proc); the full disk needs the right to mount one.
import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bltTensors, readBltConfig } from '../dist/blt/index.js';
import { elementCount } from '../dist/safetensors/index.js';
import { misuse } from './misuse.mjs';
import { earlierReport, publish } from './report.mjs';
import { faults } from './scale-out/faults.mjs';
import { kills } from './scale-out/kills.mjs';
import { prepare } from './scale-out/prepare.mjs';
import { scaling } from './scale-out/scaling.mjs';
import { sectionsOf } from './scale-out/tables.mjs';

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

const PARTS = {
  async scaling() {
    const gradientBytes = await denseGradientBytes();
    const options = { counts: [1, 2, 4], rows: ROWS, rowBytes: ROW_BYTES, steps: 15, gradientBytes };
    return { gradient_bytes: gradientBytes, scaling: await scaling(bench, options) };
  },
  faults: async () => ({ faults: await faults(bench) }),
  kills: async () => ({ kills: await kills(bench, { kills: Number(values.kills), steps: 200, mostMs: 8000 }) }),
  prepare: async () => ({ prepare: await prepare(bench, { rounds: 3 }) }),
};
const parts = values.parts.split(',');
for (const part of parts)
  if (!(part in PARTS)) misuse(`--parts ${part} is no part; there are: ${Object.keys(PARTS).join(', ')}`);

/** Parts that earlier runs measured stay in the report. */
let report = {
  command: 'npm run bench:scale-out',
  ...earlierReport(out, 'scale-out'),
  cores: availableParallelism(),
};
for (const part of parts) report = { ...report, ...(await PARTS[part]()) };
publish(out, 'scale-out', { report, markdown: sectionsOf(report) });
rmSync(join(work, 'clock.cjs'), { force: true });
