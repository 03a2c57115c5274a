/** @module Copies tensors to the host. A typed array must not be returned from `tf.tidy`, which looks for tensors among all its elements. */
import * as tf from '@tensorflow/tfjs-core';
import type { Variable } from './variables.js';

/** The values of a float32 tensor made by `make`, whose intermediate tensors are disposed. */
export function valuesOf(make: () => tf.Tensor): Float32Array {
  const tensor = tf.tidy(make);
  const values = tensor.dataSync() as Float32Array;
  tensor.dispose();
  return values;
}

/** The values of a variable. */
export const valuesOfVariable = (variable: Variable): Float32Array => valuesOf(() => variable.read());
