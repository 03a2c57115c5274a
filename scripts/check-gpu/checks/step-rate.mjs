// Times a compiled training step in bfloat16 of a model of some source's sizes.
import { SOURCE_SIZES } from '../../../bench/source-sizes.mjs';
import { startEngine } from '../../../dist/engine/index.js';
import { openBench } from '../../../dist/finetune/index.js';
import { configOf, HASH_VOCAB, writeModel } from '../model-1b.mjs';
import { rateOf, timeSteps } from '../time-steps.mjs';

const TIMED_STEPS = 10;
const BYTES_PER_PATCH = 4;

/**
 * @param {{ device: 'cuda' | 'cpu-xla', folder: string, model: string, rows: number, rowBytes: number }} options
 * @returns {Promise<import('../verdict.mjs').Result[]>}
 */
export async function check({ device, folder, model, rows, rowBytes }) {
  const engine = await startEngine({ device });
  await writeModel(folder, configOf(SOURCE_SIZES[model], HASH_VOCAB));
  const how = /** @type {const} */ ({ mode: 'xla', precision: 'bfloat16', bytesPerPatch: BYTES_PER_PATCH });
  const bench = await openBench(folder, { rows, rowBytes, ...how });
  const { firstMs, steps } = await timeSteps(bench, TIMED_STEPS);
  await bench.close();
  const { ms, bytesPerSecond } = rateOf(steps);
  return [
    {
      name: model,
      ok: steps.every(({ loss }) => Number.isFinite(loss)),
      detail: `${Math.round(bytesPerSecond)} bytes/s, ${ms.toFixed(1)} ms per step of ${rows} x ${rowBytes} bytes, ${(firstMs / 1000).toFixed(0)} s for the first`,
      figures: {
        rows,
        sequence_length: rowBytes,
        bytes_per_patch: BYTES_PER_PATCH,
        first_step_ms: firstMs,
        step_ms: steps.map((step) => step.ms),
        bytes_per_second: bytesPerSecond,
        peak_bytes: engine.memory()?.peak ?? null,
        losses: steps.map(({ loss }) => loss),
      },
    },
  ];
}
