/** @module Cross-entropy of the next byte: as a loss with gradients, and position by position. */
import { crossEntropyRows, crossEntropySum, tf } from '../engine/index.js';

/** What each position should predict; positions with weight 0 do not count. Both are row-major over [rows, length]. */
export interface Targets {
  readonly ids: Int32Array;
  readonly weights: Float32Array;
}

/**
 * Weighted cross-entropy in nats, divided by `denominator`: a scalar with gradients. With the step's total weight as the denominator
 * the losses of micro-batches add up to the step's mean.
 */
export function nextByteLoss(logits: tf.Tensor, targets: Targets, denominator: number): tf.Scalar {
  const labels = tf.tensor1d(targets.ids, 'int32');
  return tf.div(crossEntropySum(logits, labels, tf.tensor1d(targets.weights)), denominator) as tf.Scalar;
}

/** Cross-entropy in nats of each position [rows * length], as values. */
export function positionLosses(logits: tf.Tensor, ids: Int32Array): Float32Array {
  return tf.tidy(() => crossEntropyRows(logits, tf.tensor1d(ids, 'int32')).dataSync() as Float32Array);
}
