/** @module The rate of matrix products that training sustains on this machine. */
import { measuredGflops } from './measured-gflops.js';

/**
 * The share of the self-test's rate that whole training steps reach: less than `npm run bench:train` shows for large models, more than for small ones.
 */
const SUSTAINED_SHARE = 0.6;

/** GFLOP/s of training steps, estimated from the engine's self-test; null when `byteify setup` has not measured it. */
export function sustainedGflops(): number | null {
  const measured = measuredGflops();
  return measured === null ? null : SUSTAINED_SHARE * measured;
}
