/** @module What the patcher computes for each position of rows of bytes, as arrays on the host. No TensorFlow. */

/** One entry per position of a micro-batch [rows * length]. */
export interface PatcherOutput {
  /** Nats, of the prediction made at each position. */
  readonly entropies: Float32Array;
  /** The probability that a token of the source ends there; null for a patcher that was not aligned with tokens. */
  readonly endProbabilities: Float32Array | null;
}
