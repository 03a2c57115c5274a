// Proves on a machine with an NVIDIA GPU that byteify works there: the libraries, the golden models, a compiled step, the memory plan, NCCL.
// Run: npm run -s check:gpu [-- --json --hash-vocab N --work DIR]
// Each check prints one line. Exit codes: 0 all are ok, 1 one failed, 2 wrong usage, 3 there is no GPU. docs/gpu.md says more.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCheck } from './check-gpu/children.mjs';
import { findGpus, pickGpu, visibleFor } from './check-gpu/nvidia-smi.mjs';
import { documentOf, EXIT, exitCodeOf, lineOf } from './check-gpu/verdict.mjs';

const USAGE = 2;
const MINUTE_MS = 60_000;
const FEW_MS = 10 * MINUTE_MS;
/** Writing and loading the model, and compiling 16 layers forward and backward. */
const STEP_MS = 40 * MINUTE_MS;
/** Memory is taken from CUDA's pool, which counts it; without a pool, as it is needed and not all at once. */
const COUNTED_MEMORY = { TF_GPU_ALLOCATOR: 'cuda_malloc_async', TF_FORCE_GPU_ALLOW_GROWTH: 'true' };
/** So that TensorFlow tells why it offers no GPU. */
const TALKATIVE = { TF_CPP_MIN_LOG_LEVEL: '0' };

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
    throw new TypeError('--hash-vocab takes a number of rows');
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
  const folder = mkdtempSync(join(work, 'byteify-check-gpu-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const devices = visibleFor(gpu, visible);
  const onlyIt = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', ...(devices !== undefined && { CUDA_VISIBLE_DEVICES: devices }) };
  const checks = [
    { check: 'libraries', names: ['libraries'], options: { gpu }, env: TALKATIVE, timeoutMs: FEW_MS },
    { check: 'golden', names: ['golden parity'], options: {}, env: {}, timeoutMs: FEW_MS },
    {
      check: 'step',
      names: ['compiled step', 'memory plan'],
      options: { gpu, hashVocab, folder: join(folder, 'blt') },
      env: COUNTED_MEMORY,
      timeoutMs: STEP_MS,
    },
    { check: 'nccl', names: ['NCCL'], options: {}, env: {}, timeoutMs: FEW_MS },
  ];
  const results = [];
  for (const { check, names, options, env, timeoutMs } of checks) {
    const found = await runCheck(check, names, options, { env: { ...onlyIt, ...env }, timeoutMs });
    if (!json) for (const result of found) console.log(lineOf(result));
    results.push(...found);
  }
  if (json) console.log(JSON.stringify(documentOf(gpu, results), null, 2));
  return exitCodeOf(results);
}

// The model's folder goes when the process is stopped, too.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.once(signal, () => process.exit(code));

try {
  process.exitCode = await checkGpu(readArguments());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof TypeError ? USAGE : EXIT.failed;
}
