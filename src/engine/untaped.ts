/** @module Work outside of the gradient tape: targets and other constants of a step. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * What `fn` makes of its inputs, with a gradient of zero to each. Operations within are not recorded, so a backward pass keeps none of
 * their inputs alive.
 */
export function untaped(fn: (...inputs: tf.Tensor[]) => tf.Tensor, ...inputs: tf.Tensor[]): tf.Tensor {
  const shapes = inputs.map(({ shape }) => shape);
  return tf.customGrad((...args) => ({
    value: fn(...(args.slice(0, inputs.length) as tf.Tensor[])),
    gradFunc: () => shapes.map((shape) => tf.zeros(shape)),
  }))(...inputs);
}
