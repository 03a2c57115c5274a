/** @module The cross-entropy of the next byte: as a differentiable loss, and per position. */
import { crossEntropyRows, crossEntropySum, tf, valuesOf } from '../engine/index.js';

/** The id that each position should predict, and its weight in the loss: both row-major [rows * length]. */
export interface Targets {
  readonly ids: Int32Array;
  readonly weights: Float32Array;
}

/**
 * The sum of the weighted cross-entropies in nats, divided by `denominator`: a differentiable scalar. If the denominator is the total weight of
 * the step, the losses of its micro-batches add up to the mean.
 */
export function nextByteLoss(logits: tf.Tensor, targets: Targets, denominator: number): tf.Scalar {
  const labels = tf.tensor1d(targets.ids, 'int32');
  return tf.div(crossEntropySum(logits, labels, tf.tensor1d(targets.weights)), denominator) as tf.Scalar;
}

/** The cross-entropy of each position in nats [rows * length], on the host. */
export function positionLosses(logits: tf.Tensor, ids: Int32Array): Float32Array {
  return valuesOf(() => crossEntropyRows(logits, tf.tensor1d(ids, 'int32')));
}
