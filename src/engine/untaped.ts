/** @module Computation outside the gradient tape: targets and other constants of a training step. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * Applies `fn` to its inputs with a zero gradient for each. Its operations are not recorded, so a backward pass keeps none of
 * their inputs alive.
 */
export function untaped(fn: (...inputs: tf.Tensor[]) => tf.Tensor, ...inputs: tf.Tensor[]): tf.Tensor {
  const shapes = inputs.map(({ shape }) => shape);
  return tf.customGrad((...args) => ({
    value: fn(...(args.slice(0, inputs.length) as tf.Tensor[])),
    gradFunc: () => shapes.map((shape) => tf.zeros(shape)),
  }))(...inputs);
}
