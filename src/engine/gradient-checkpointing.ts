/**
 * @module Gradient checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): the intermediate results of a part of
 * the forward pass are not kept but recomputed in the backward pass.
 */
import * as tf from '@tensorflow/tfjs-core';
import { engineBackend } from './backend.js';
import { deviceCount } from './capabilities.js';
import { fuse, innerGrads } from './fuse.js';
import { currentPrecision, withPrecision } from './precision.js';
import { rawOp } from './raw-op.js';

/**
 * Returns x, but only after `gate` has been computed. Otherwise a compiler would notice that the forward pass computed the same values and
 * keep them. It adds a zero derived from `gate`, because on a CPU XLA drops its optimization barriers before it eliminates common
 * subexpressions.
 */
function after(gate: tf.Tensor, x: tf.Tensor): tf.Tensor {
  if (!engineBackend().tracing) return x;
  const [delayed] = fuse('after', [gate, x], (slope, value) => {
    const one = tf.slice(tf.reshape(slope, [slope.size]), [0], [1]);
    return [tf.add(value, tf.mul(tf.reshape(one, []), 0))];
  });
  return delayed!;
}

/**
 * Returns tensors, but only after `gate` has been computed. Where weights are divided over several devices, the forward pass collects them from
 * there: without this, what it collected would be kept whole for the backward pass.
 */
function collectedAgain(gate: tf.Tensor, tensors: readonly tf.Tensor[]): readonly tf.Tensor[] {
  if (!engineBackend().tracing || deviceCount() === 1) return tensors;
  return rawOp('XlaOptimizationBarrier', [], [gate, ...tensors], 1 + tensors.length).slice(1);
}

/**
 * Applies `fn` to its inputs and keeps only these inputs for the backward pass.
 * @param fn returns one tensor. @param variables float32 inputs that receive gradients; the first is delayed in the backward pass.
 * @param constants tensors that receive no gradients.
 */
export function checkpointed(
  fn: (variables: tf.Tensor[], constants: tf.Tensor[]) => tf.Tensor,
  variables: readonly tf.Tensor[],
  constants: readonly tf.Tensor[],
): tf.Tensor {
  const precision = currentPrecision();
  return tf.customGrad((...args) => {
    const given = args.slice(0, variables.length) as tf.Tensor[];
    const save = args[variables.length] as unknown as tf.GradSaveFunc;
    save([...given, ...constants]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [first, ...others] = saved;
      const delayed = after(dy, first!);
      const again = collectedAgain(dy, others);
      const [weights, rest] = [again.slice(0, variables.length - 1), again.slice(variables.length - 1)];
      return withPrecision(precision, () => innerGrads((...inputs) => fn(inputs, rest), [delayed, ...weights], dy));
    };
    return { value: fn(given, [...constants]), gradFunc };
  })(...variables);
}
