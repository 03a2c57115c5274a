/**
 * @module LoRA (Hu et al. 2022, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1): a frozen projection W gets a trained
 * product beside it, W + s B A with s = alpha / rank. The factor is held inside B, which then learns s times as fast: under Adam, whose
 * steps do not depend on a gradient's scale, the same thing.
 */
import type { Adapter } from '../../blt/index.js';
import { attribute, createVariable, rawOp, tf, type Variable } from '../../engine/index.js';

/** A fresh adapter: A normal with a standard deviation of rank^-0.5, B zero, so that training begins at W itself. */
export function freshAdapter({ a, b }: Adapter, seed: number, index: number): { a: Variable; b: Variable } {
  const [normal, zeros] = tf.tidy((): tf.Tensor[] => {
    const types = [attribute.type('dtype', 'float32'), attribute.type('T', 'int32'), attribute.type('Tseed', 'int32')];
    const extents = tf.tensor1d([...a.shape], 'int32');
    const [draw] = rawOp('StatelessRandomNormal', types, [extents, tf.tensor1d([seed, index], 'int32')]);
    return [tf.mul(draw!, a.shape[0]! ** -0.5), tf.zeros([...b.shape])];
  }) as [tf.Tensor, tf.Tensor];
  const made = { a: createVariable(normal), b: createVariable(zeros) };
  tf.dispose([normal, zeros]);
  return made;
}

/** W + B A: what a checkpoint holds in W's place. The caller disposes it. */
export function merged(base: Variable, { a, b }: { readonly a: Variable; readonly b: Variable }): tf.Tensor {
  return tf.tidy(() => tf.add(base.read(), tf.matMul(b.read(), a.read())));
}
