// Measures a compiled training step of a 1B model in bfloat16: its speed, and its memory compared with the plan.
import { onGpu, startEngine } from '../../../dist/engine/index.js';
import { openBench } from '../../../dist/finetune/index.js';
import { openPool } from '../cuda-pool.mjs';
import { matmulRate } from '../matmul-rate.mjs';
import { configOf, HASH_VOCAB, LLAMA_1B, largestStep, planOf, writeModel } from '../model-1b.mjs';
import { findGpus } from '../nvidia-smi.mjs';
import { peakOf, statedPeak } from '../peaks.mjs';
import { failed, judgeMemory, judgeStep } from '../verdict.mjs';

const NAMES = ['compiled step', 'memory plan'];
const TIMED_STEPS = 5;
const MATMUL_SIZE = 8192;

/** The memory of the GPU that all processes use, according to nvidia-smi. */
async function usedBytes({ uuid }) {
  return (await findGpus()).gpus.find((gpu) => gpu.uuid === uuid)?.usedBytes ?? null;
}

/** @returns a function that returns the peak since this call */
async function startMeasuring(gpu, pool) {
  pool?.reset();
  const before = await usedBytes(gpu);
  return async () => {
    const highBytes = pool?.highBytes() ?? 0;
    if (highBytes > 0) return { bytes: highBytes, how: 'the peak of CUDA’s memory pool' };
    const after = await usedBytes(gpu);
    return before === null || after === null || after <= before
      ? null
      : { bytes: after - before, how: 'the increase in nvidia-smi' };
  };
}

/**
 * @param {object} options
 * @param {import('../nvidia-smi.mjs').Gpu} options.gpu
 * @param {string} options.folder where the model is written
 * @param {number} [options.hashVocab]
 * @param {{ source: import('../model-1b.mjs').SourceSizes, rows: number, rowBytes: number, matmulSize: number }} [options.trial]
 * another model and step, to test the check itself without a GPU
 * @returns {Promise<import('../verdict.mjs').Result[]>}
 */
export async function check({ gpu, folder, hashVocab = HASH_VOCAB, trial }) {
  await startEngine();
  if (!onGpu() && trial === undefined) return NAMES.map((name) => failed(name, 'TensorFlow offers no GPU'));
  const config = configOf(trial?.source ?? LLAMA_1B, hashVocab);
  const pool = openPool();
  const memoryBytes = pool?.totalBytes() || (gpu.totalBytes ?? 0);
  const plan = trial === undefined ? largestStep(config, memoryBytes) : planOf(config, trial.rows, trial.rowBytes);
  if (plan === null) {
    const least = (planOf(config, 1, 1024).bytes / 1e9).toFixed(1);
    return NAMES.map((name) =>
      failed(name, `according to the plan, the smallest step of the model needs ${least} GB and does not fit`),
    );
  }
  const rate = await matmulRate(trial?.matmulSize ?? MATMUL_SIZE);
  await writeModel(folder, config);
  const measure = await startMeasuring(gpu, pool);
  const { rows, rowBytes, bytesPerPatch } = plan;
  const bench = await openBench(folder, { rows, rowBytes, mode: 'xla', precision: 'bfloat16', bytesPerPatch });
  const first = await bench.step();
  const steps = [];
  while (steps.length < TIMED_STEPS) steps.push(await bench.step());
  const peak = await measure();
  await bench.close();
  return [
    judgeStep({ ...plan, hashVocab, firstMs: first.ms, steps }, peakOf(statedPeak(gpu.name, gpu.sliced), rate), rate),
    judgeMemory(plan.bytes, peak),
  ];
}
