/** @module Attention by kernels in Triton, with its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { attribute } from './attributes.js';
import { fuse } from './fuse.js';
import { productOperands } from './precision.js';
import { rawOp } from './raw-op.js';

export interface CausalAttention {
  /** Number of keys that a query sees, its own included. */
  readonly window: number;
  /** The document of each position, int32 [rows, length]: a query sees only its own document. Null if each row is one. */
  readonly documents: tf.Tensor | null;
}

/**
 * Causal attention: q [rows, heads, length, d] (already scaled), k and v [rows, kvHeads, length, d] -> [rows, heads, length, d]. Query heads share
 * key-value heads in groups. Products are of the current precision, everything else is float32. It keeps the operands and the result for the backward pass,
 * neither scores nor probabilities. Only where `hasAttentionKernel` says so.
 */
export function tritonAttention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, { window, documents }: CausalAttention) {
  const attributes = [attribute.int('window', window)];
  const last = documents === null ? [] : [documents];
  return tf.customGrad((a, b, c, save) => {
    const operands = productOperands();
    const states = [a, b, c].map((x) => operands.narrow(x as tf.Tensor));
    const [out, sums] = rawOp('TritonAttention', attributes, [...states, ...last], 2) as [tf.Tensor, tf.Tensor];
    (save as tf.GradSaveFunc)([...states, out, sums, ...last]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [sq, sk, sv, result, logSums, ...rest] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const [deltas] = fuse('sums of slopes times results', [dy, result], (slope, narrow) => [
        tf.sum(tf.mul(slope, operands.widen(narrow)), -1),
      ]);
      const given = [sq, sk, sv, operands.narrow(dy), logSums, deltas!, ...rest];
      return rawOp('TritonAttentionGradient', attributes, given, 3).map(operands.widen);
    };
    return { value: operands.widen(out), gradFunc };
  })(q, k, v);
}
