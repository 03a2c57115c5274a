// Checks on a machine with an NVIDIA GPU that byteify works there: the plugin, the golden models, a compiled step, the memory plan.
// Run: npm run -s check:gpu [-- --json --hash-vocab N --work DIR]
// Prints one line per result. Exit codes: 0 all ok, 1 a check failed, 2 wrong usage, 3 no GPU. docs/gpu.md describes the checks.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCheck } from './check-gpu/children.mjs';
import { findGpus, pickGpu, visibleFor } from './check-gpu/nvidia-smi.mjs';
import { documentOf, EXIT, exitCodeOf, lineOf } from './check-gpu/verdict.mjs';
import { workFolder } from './work-folder.mjs';

const USAGE = 2;
const MINUTE_MS = 60_000;
const SHORT_TIMEOUT_MS = 10 * MINUTE_MS;
/** Includes writing and loading the model, and compiling the forward and backward pass of 16 layers. */
const STEP_TIMEOUT_MS = 40 * MINUTE_MS;
function readArguments() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      'hash-vocab': { type: 'string' },
      work: { type: 'string' },
    },
  });
  const hashVocab = values['hash-vocab'] === undefined ? undefined : Number(values['hash-vocab']);
  if (hashVocab !== undefined && !(Number.isInteger(hashVocab) && hashVocab >= 1))
    throw new TypeError('--hash-vocab takes a number of rows, at least 1');
  return { json: values.json, hashVocab, work: values.work ?? tmpdir() };
}

/** @returns {Promise<number>} the exit code */
async function checkGpu({ json, hashVocab, work }) {
  const { CUDA_VISIBLE_DEVICES: visible } = process.env;
  const { gpus, reason } = await findGpus();
  const gpu = pickGpu(gpus, visible);
  if (gpu === null) {
    const why = reason ?? `CUDA_VISIBLE_DEVICES=${visible} hides them all`;
    console.log(
      json ? JSON.stringify(documentOf(null, [], why), null, 2) : `There is no NVIDIA GPU to check here: ${why}.`,
    );
    return EXIT.noGpu;
  }
  const folder = workFolder('byteify-check-gpu', work);
  const devices = visibleFor(gpu, visible);
  const onlyThisGpu = {
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    ...(devices !== undefined && { CUDA_VISIBLE_DEVICES: devices }),
  };
  const device = 'cuda';
  const checks = [
    { check: 'plugin', names: ['plugin'], options: { device, gpu }, timeoutMs: SHORT_TIMEOUT_MS },
    { check: 'attention', names: ['attention kernels'], options: { device }, timeoutMs: SHORT_TIMEOUT_MS },
    { check: 'golden', names: ['golden parity'], options: { device }, timeoutMs: SHORT_TIMEOUT_MS },
    {
      check: 'step',
      names: ['compiled step', 'memory plan'],
      options: { device, gpu, hashVocab, folder: join(folder, 'blt') },
      timeoutMs: STEP_TIMEOUT_MS,
    },
  ];
  const results = [];
  for (const { check, names, options, timeoutMs } of checks) {
    const found = await runCheck(check, names, options, { env: onlyThisGpu, timeoutMs });
    if (!json) for (const result of found) console.log(lineOf(result));
    results.push(...found);
  }
  if (json) console.log(JSON.stringify(documentOf(gpu, results), null, 2));
  return exitCodeOf(results);
}

try {
  process.exitCode = await checkGpu(readArguments());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof TypeError ? USAGE : EXIT.failed;
}
