/**
 * @module Fusion: runs a chain of small operations as one. While a function is traced, the chain becomes a separate function that XLA
 * compiles to a single pass over memory, between the matrix products of the graph. Outside a trace its operations run one by one.
 */
import * as tf from '@tensorflow/tfjs-core';
import { engineBackend } from './backend.js';

/** Runs `fn` fused. `key` must identify everything that `fn` closes over; calls with the same key and shapes share one function. */
export function fuse(
  key: string,
  inputs: readonly tf.Tensor[],
  fn: (...inputs: tf.Tensor[]) => readonly tf.Tensor[],
): readonly tf.Tensor[] {
  return engineBackend().fuse(key, [], inputs, (_none, given) => fn(...given));
}

/** Computes gradients within a gradient. tfjs-core keeps a single tape, which an inner backward pass would discard. */
export function innerGrads(fn: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const { state } = tf.engine();
  const tape = state.activeTape;
  try {
    return tf.grads(fn)(inputs, dy);
  } finally {
    state.activeTape = tape;
  }
}

/**
 * A differentiable operation that is fused forward and backward. Only its inputs are kept for the backward pass, which recomputes what it
 * needs of the forward chain: that is cheaper than a round trip to memory.
 * @param fn returns one float32 tensor. @param variables float32 inputs that receive gradients; @param constants tensors that do not.
 */
export function fusedOp(
  key: string,
  fn: (...inputs: tf.Tensor[]) => tf.Tensor,
  variables: readonly tf.Tensor[],
  constants: readonly tf.Tensor[] = [],
): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const given = args.slice(0, variables.length) as tf.Tensor[];
    const save = args[variables.length] as unknown as tf.GradSaveFunc;
    save([...given, ...constants]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => [
      ...fuse(`${key} gradient`, [dy, ...saved], (slope, ...all) => {
        const rest = all.slice(variables.length);
        return innerGrads((...varied) => fn(...varied, ...rest), all.slice(0, variables.length), slope);
      }),
    ];
    return { value: fuse(key, [...given, ...constants], (...all) => [fn(...all)])[0]!, gradFunc };
  });
  return op(...variables);
}
