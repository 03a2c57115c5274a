// The parts of a GPU session, one after the other, each in a process of its own. Writes gpu-session.json after every part, so that an interrupted
// session leaves what it has measured. Run by gpu-session.sh.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runCheck } from '../check-gpu/children.mjs';
import { findGpus, pickGpu } from '../check-gpu/nvidia-smi.mjs';
import { NO_GPU, SMALL_STEP } from '../check-gpu/trial.mjs';
import { lineOf } from '../check-gpu/verdict.mjs';
import { FEW_STEPS } from '../few-steps.mjs';

const { values } = parseArgs({ options: { out: { type: 'string', default: '.' } } });
const { BYTEIFY_DEVICE: device = 'cuda', BYTEIFY_PLUGIN: plugin, BYTEIFY_SESSION_PYTHON: python } = process.env;
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const PEER = fileURLToPath(new URL('peer.py', import.meta.url));

/** All parts together take at most eight minutes. */
const MINUTE_MS = 60_000;

const work = mkdtempSync(join(tmpdir(), 'byteify-gpu-session-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const { gpus } = await findGpus();
const gpu = pickGpu(gpus, process.env.CUDA_VISIBLE_DEVICES);
/** Without a GPU, the parts run at sizes for a CPU, which tests the session itself. */
const isTrial = device !== 'cuda';
if (gpu === null && !isTrial) {
  console.error('nvidia-smi lists no GPU.');
  process.exit(3);
}
const card = gpu ?? NO_GPU;

/**
 * A command's result as a check's: ok if it exits with 0.
 * @param {string} name @param {string} command @param {string[]} args
 * @param {{ timeoutMs: number, figuresOf: (stdout: string) => object }} how
 */
function runCommand(name, command, args, { timeoutMs, figuresOf }) {
  return new Promise((resolve) => {
    const begun = performance.now();
    execFile(command, args, { timeout: timeoutMs, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const seconds = (performance.now() - begun) / 1000;
      const detail =
        error === null ? `${seconds.toFixed(1)} s` : stderr.trim().split('\n').slice(-5).join(' | ') || error.message;
      let figures = {};
      try {
        figures = figuresOf(stdout);
      } catch {
        // The command failed before it printed its results.
      }
      resolve([{ name, ok: error === null, detail, figures: { seconds, ...figures } }]);
    });
  });
}

const step = (name, options, timeoutMs) =>
  runCheck('step-rate', [name], { device, gpu: card, folder: join(work, name), ...options }, { env: {}, timeoutMs });

const SHAPE = isTrial ? { rows: 2, rowBytes: 128 } : { rows: 8, rowBytes: 4096 };

/** In the order of what is wanted most, should time run out. */
const PARTS = [
  () =>
    runCommand('set-up', process.execPath, [CLI, 'setup', '--device', device, '--plugin', plugin, '--json'], {
      timeoutMs: MINUTE_MS,
      figuresOf: JSON.parse,
    }),
  () => runCheck('plugin', ['plugin'], { device, gpu: card }, { env: {}, timeoutMs: MINUTE_MS }),
  () => runCheck('attention', ['attention kernels'], { device }, { env: {}, timeoutMs: MINUTE_MS }),
  () => runCheck('golden', ['golden parity'], { device }, { env: {}, timeoutMs: 2 * MINUTE_MS }),
  () => step('smollm2-135m', { model: isTrial ? 'tiny-llama' : 'smollm2-135m', ...SHAPE }, 2 * MINUTE_MS),
  ...['eager', 'compile'].map(
    (mode) => () =>
      isTrial
        ? []
        : runCommand(
            `transformers, ${mode}`,
            python,
            [PEER, join(work, 'smollm2-135m'), String(SHAPE.rows), String(SHAPE.rowBytes), mode],
            { timeoutMs: 2 * MINUTE_MS, figuresOf: JSON.parse },
          ),
  ),
  () =>
    runCheck(
      'step',
      ['compiled step', 'memory plan'],
      { device, gpu: card, folder: join(work, 'blt'), ...(isTrial && SMALL_STEP) },
      { env: {}, timeoutMs: 3 * MINUTE_MS },
    ),
  () =>
    runCommand('demo', process.execPath, [CLI, 'demo', '--out', join(work, 'demo'), ...FEW_STEPS, '--json'], {
      timeoutMs: 3 * MINUTE_MS,
      figuresOf: JSON.parse,
    }),
];

mkdirSync(values.out, { recursive: true });
const results = [];
for (const part of PARTS) {
  const found = await part();
  results.push(...found);
  for (const result of found) console.log(lineOf(result));
  writeFileSync(join(values.out, 'gpu-session.json'), `${JSON.stringify({ device, gpu: card, results }, null, 2)}\n`);
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
