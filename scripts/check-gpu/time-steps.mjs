// Times training steps, after one that compiles.
import { median } from '../../bench/process.mjs';

/**
 * @param {import('../../dist/finetune/loop/bench-train-step.js').SteppedBench} bench @param {number} count
 * @returns {Promise<{ firstMs: number, steps: { ms: number, bytes: number, loss: number }[] }>}
 */
export async function timeSteps(bench, count) {
  const first = await bench.step();
  const steps = [];
  while (steps.length < count) steps.push(await bench.step());
  return { firstMs: first.ms, steps };
}

/** The median of the steps' milliseconds, and the bytes per second of such a step. @param {readonly { ms: number, bytes: number }[]} steps */
export function rateOf(steps) {
  const ms = steps.length === 0 ? Number.NaN : median(steps.map((step) => step.ms));
  return { ms, bytesPerSecond: (steps[0]?.bytes ?? Number.NaN) / (ms / 1000) };
}
