/** @module Gradients of named parameters, and their global norm. */
import { attribute, rawOp, tf } from '../engine/index.js';

/** A loss over parameters by name. */
export type Loss = (values: ReadonlyMap<string, tf.Tensor>) => tf.Scalar;

/** The loss and its gradient for each value, in the map's order. The caller disposes them. */
export function lossAndGradients(
  values: ReadonlyMap<string, tf.Tensor>,
  loss: Loss,
): { loss: tf.Scalar; gradients: tf.Tensor[] } {
  const names = [...values.keys()];
  const of = (...tensors: tf.Tensor[]) => loss(new Map(tensors.map((tensor, i) => [names[i]!, tensor])));
  const { value, grads } = tf.valueAndGrads(of)([...values.values()]);
  return { loss: value as tf.Scalar, gradients: grads };
}

/** The Euclidean norm of all gradients together: a scalar. */
export function globalNorm(gradients: readonly tf.Tensor[]): tf.Scalar {
  return tf.tidy(() => {
    const halves = gradients.map((gradient) => rawOp('L2Loss', [attribute.type('T', 'float32')], [gradient])[0]!);
    return tf.sqrt(tf.mul(tf.addN(halves), 2));
  });
}

/** What gradients are multiplied by so that their global norm is at most `limit` (torch.nn.utils.clip_grad_norm_, with its 1e-6). */
export function clipScale(norm: tf.Tensor, limit: number): tf.Scalar {
  return tf.tidy(() => tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6))));
}
