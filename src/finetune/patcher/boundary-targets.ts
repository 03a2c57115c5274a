/** @module The labels of the boundary loss as tensors. They depend on the token-end head, which is still learning (docs/distillation.md). */
import { BOS } from '../../blt/index.js';
import { tf } from '../../engine/index.js';
import type { TensorBatch } from '../../model/index.js';
import type { Alignment } from '../../patching/index.js';

export interface BoundaryTargets {
  /** 1 where a patch should end after a position, else 0 [rows * length]. */
  readonly labels: tf.Tensor;
  /** 1 where the label is known, else 0 [rows * length]. */
  readonly weights: tf.Tensor;
}

/**
 * The same labels as `boundaryLabels` gives. A label that depends on the previous byte is known if it is known whether a token ends at that
 * byte, or if there is no such byte (after BOS).
 * @param endLogits [rows * length], of a token end at each position. The labels pass no gradient back to them.
 */
export function boundaryTargets(
  { labels: kind, endConfidence }: Alignment,
  batch: TensorBatch<'ids' | 'tokenEnds' | 'tokenEndWeights'>,
  endLogits: tf.Tensor,
): BoundaryTargets {
  const { rows, length, ids, tokenEnds: ends, tokenEndWeights: known } = batch;
  if (kind === 'end') return { labels: ends, weights: known };
  /** The values one position earlier; 0 at the first position of a row, which is BOS. */
  const before = (x: tf.Tensor) => {
    const all = tf.slice(tf.reshape(x, [rows, length]), [0, 0], [rows, length - 1]);
    return tf.reshape(tf.concat([tf.zeros([rows, 1]), all], 1), [-1]);
  };
  const begins = tf.cast(tf.equal(ids, BOS), 'float32');
  const weights = tf.mul(known, before(tf.maximum(known, begins)));
  if (kind === 'start') return { labels: before(ends), weights };
  const sure = tf.cast(tf.greater(tf.sigmoid(endLogits), endConfidence), 'float32');
  const late = tf.mul(before(tf.mul(ends, tf.sub(1, sure))), tf.sub(1, sure));
  return { labels: tf.add(sure, late), weights };
}
