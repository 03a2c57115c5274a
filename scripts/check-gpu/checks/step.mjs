// Measures a compiled training step of a 1B model in bfloat16: its speed, and its memory compared with the plan.
import { startEngine } from '../../../dist/engine/index.js';
import { openBench } from '../../../dist/finetune/index.js';
import { matmulRate } from '../matmul-rate.mjs';
import { configOf, HASH_VOCAB, LLAMA_1B, largestStep, planOf, writeModel } from '../model-1b.mjs';
import { peakOf, statedPeak } from '../peaks.mjs';
import { timeSteps } from '../time-steps.mjs';
import { failed, judgeMemory, judgeStep } from '../verdict.mjs';

/** The names of its results. */
const NAMES = ['compiled step', 'memory plan'];
const TIMED_STEPS = 5;
const MATMUL_SIZE = 8192;

/**
 * @param {object} options
 * @param {'cuda' | 'cpu-xla'} options.device
 * @param {import('../nvidia-smi.mjs').Gpu} options.gpu
 * @param {string} options.folder where the model is written
 * @param {number} [options.hashVocab]
 * @param {{ source: import('../model-1b.mjs').SourceSizes, rows: number, rowBytes: number, matmulSize: number }} [options.trial]
 * another model and step, to test the check itself without a GPU
 * @returns {Promise<import('../verdict.mjs').Result[]>}
 */
export async function check({ device, gpu, folder, hashVocab = HASH_VOCAB, trial }) {
  const engine = await startEngine({ device });
  const config = configOf(trial?.source ?? LLAMA_1B, hashVocab);
  const memoryBytes = engine.memory()?.limit ?? gpu.totalBytes ?? 0;
  const plan = trial === undefined ? largestStep(config, memoryBytes) : planOf(config, trial.rows, trial.rowBytes);
  if (plan === null) {
    const least = (planOf(config, 1, 1024).bytes / 1e9).toFixed(1);
    return NAMES.map((name) =>
      failed(name, `according to the plan, the smallest step of the model needs ${least} GB and does not fit`),
    );
  }
  const rate = await matmulRate(trial?.matmulSize ?? MATMUL_SIZE);
  await writeModel(folder, config);
  const { rows, rowBytes, bytesPerPatch } = plan;
  const bench = await openBench(folder, { rows, rowBytes, mode: 'xla', precision: 'bfloat16', bytesPerPatch });
  const { firstMs, steps } = await timeSteps(bench, TIMED_STEPS);
  const { peak = 0 } = engine.memory() ?? {};
  await bench.close();
  return [
    judgeStep({ ...plan, hashVocab, firstMs, steps }, peakOf(statedPeak(gpu.name, gpu.sliced), rate), rate),
    judgeMemory(plan.bytes, peak > 0 ? { bytes: peak, how: 'counted by the plugin' } : null),
  ];
}
