/** @module Computes a loss and its derivative in one pass, so that the gradient tape stores only the derivative. */
import { fuse, tf } from '../../engine/index.js';

/**
 * A scalar loss of `x`; `constants` receive no gradient.
 * @param key identifies everything that `fn` closes over (see fuse).
 * @param fn returns the loss and its derivative with respect to `x`, in the shape of `x`.
 */
export function fusedLoss(
  key: string,
  fn: (x: tf.Tensor, ...constants: tf.Tensor[]) => readonly [loss: tf.Tensor, slope: tf.Tensor],
  x: tf.Tensor,
  constants: readonly tf.Tensor[],
): tf.Tensor {
  return tf.customGrad((input, save) => {
    const given = [input as tf.Tensor, ...constants];
    const [loss, slope] = fuse(key, given, (y, ...rest) => fn(y!, ...rest)) as [tf.Tensor, tf.Tensor];
    (save as tf.GradSaveFunc)([slope]);
    return { value: loss, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0]!, dy) };
  })(x);
}
