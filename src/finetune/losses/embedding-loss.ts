/** @module The distance between the student's patches and the embeddings of their tokens (docs/distillation.md, `align-encoder`). */
import { tf } from '../../engine/index.js';
import { fusedLoss } from './fused-loss.js';

/**
 * sum_k weights[k] * |student_k - target_k|^2 / (d * variance) -> scalar. A student that always returns the mean embedding scores 1 per
 * patch. Only the student receives a gradient.
 * @param student [P, d]. @param target [P, d]. @param weights [P], 0 for patches that are not exactly one token.
 * @param variance the variance of the source's embeddings, averaged over channels.
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
