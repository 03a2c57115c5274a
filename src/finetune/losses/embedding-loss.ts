/** @module How far the student's patches are from the embeddings of their tokens (L_1a of embedding alignment). */
import { tf } from '../../engine/index.js';
import { fusedLoss } from './fused-loss.js';

/**
 * sum_k weights[k] * |student_k - target_k|^2 / (d * variance) -> scalar: 1 a patch for a student that gives the mean embedding. The
 * gradient goes to the student alone.
 * @param student [P, d]. @param target [P, d]. @param weights [P], 0 where a patch is several tokens.
 * @param variance mean over the channels of the variance of the source's embeddings.
 */
export function embeddingLoss(student: tf.Tensor, target: tf.Tensor, weights: tf.Tensor, variance: number): tf.Tensor {
  const width = student.shape[1]!;
  const squares = (x: tf.Tensor, y: tf.Tensor, w: tf.Tensor): [tf.Tensor, tf.Tensor] => {
    const error = tf.sub(x, y);
    const weighted = tf.mul(tf.expandDims(w, 1), error);
    return [tf.sum(tf.mul(weighted, error)), tf.mul(2, weighted)];
  };
  const scaled = tf.mul(weights, 1 / (width * variance));
  return fusedLoss('embedding loss', (x, y, w) => squares(x, y!, w!), student, [target, scaled]);
}
