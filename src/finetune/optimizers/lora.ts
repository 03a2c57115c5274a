/**
 * @module LoRA (Hu et al. 2022, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1): a frozen projection W is used as
 * W + s B A, with s = alpha / rank and trained A and B. The factor s is folded into B, whose learning rate is multiplied by s instead. The two are
 * equivalent under Adam, whose steps do not depend on the scale of the gradient.
 */
import type { Adapter } from '../../blt/index.js';
import { createVariable, randomNormal, tf, type Variable } from '../../engine/index.js';

/** A new adapter. A is normal with a standard deviation of rank^-0.5 and B is zero, so training starts from W itself. */
export function freshAdapter({ a, b }: Adapter, seed: number, index: number): { a: Variable; b: Variable } {
  const [normal, zeros] = tf.tidy((): tf.Tensor[] => {
    const draw = randomNormal(a.shape, [seed, index]);
    return [tf.mul(draw, a.shape[0]! ** -0.5), tf.zeros([...b.shape])];
  }) as [tf.Tensor, tf.Tensor];
  const made = { a: createVariable(normal), b: createVariable(zeros) };
  tf.dispose([normal, zeros]);
  return made;
}

/** W + B A, which checkpoints store in place of W. The caller disposes it. */
export function merged(base: Variable, { a, b }: { readonly a: Variable; readonly b: Variable }): tf.Tensor {
  return tf.tidy(() => tf.add(base.read(), tf.matMul(b.read(), a.read())));
}
