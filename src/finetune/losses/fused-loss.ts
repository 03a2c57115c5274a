/** @module A loss and its derivative in one pass, so that the tape keeps the derivative alone. */
import { fuse, tf } from '../../engine/index.js';

/**
 * A scalar loss of `x`; `constants` get no gradient.
 * @param key stands for all that `fn` closes over (see fuse).
 * @param fn gives the loss and its derivative by `x`, in the shape of `x`.
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
