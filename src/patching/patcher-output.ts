/** @module The patcher's output for each position, as arrays on the host. No TensorFlow. */

/** Arrays with one entry per position of a micro-batch [rows * length]. */
export interface PatcherOutput {
  /** The entropy of the prediction at each position, in nats. */
  readonly entropies: Float32Array;
  /** The probability that a token of the source ends there; null if the patcher is not aligned with tokens. */
  readonly endProbabilities: Float32Array | null;
}
