/**
 * @module Cross-attention between bytes and patches without a byte-by-patch mask (blt-format 1.4, 1.6). Each byte belongs to one patch, so
 * scores are computed per byte, and softmax and sums run over segments (encoder) or over the k slots of one patch (decoder).
 */
import type { TransformerConfig } from '../blt/index.js';
import { gatherRows, linear, rmsNorm, segmentShift, segmentSum, tf } from '../engine/index.js';

import { type Params, param } from './params.js';

interface CrossShape {
  readonly config: TransformerConfig;
  /** Slots per patch: cross_attn_k. */
  readonly slots: number;
  /** Patches in the batch: rows * patches per row. */
  readonly patches: number;
  /** The patch of each byte, int32 [bytes], counted over the batch. */
  readonly patchOfByte: tf.Tensor;
}

/** Queries [.., He]: x normed and projected. */
function queriesOf(x: tf.Tensor, params: Params, prefix: string, { rmsNormEps }: TransformerConfig): tf.Tensor {
  const weight = (name: string) => param(params, `${prefix}.${name}.weight`);
  return linear(rmsNorm(x, weight('q_norm'), rmsNormEps), weight('q_proj'));
}

/** Keys and values [.., kvHeads * d]. */
export interface KeysAndValues {
  readonly key: tf.Tensor;
  readonly value: tf.Tensor;
}

/** The keys and values of x, which share one norm. */
export function keysAndValuesOf(
  x: tf.Tensor,
  params: Params,
  prefix: string,
  { rmsNormEps }: TransformerConfig,
): KeysAndValues {
  const weight = (name: string) => param(params, `${prefix}.${name}.weight`);
  const normal = rmsNorm(x, weight('k_norm'), rmsNormEps);
  return { key: linear(normal, weight('k_proj')), value: linear(normal, weight('v_proj')) };
}

/** The residual counts twice: the module adds it and its caller adds it again, as every BLT checkpoint expects (blt-format 1.4, 1.6). */
function doubledResidual(queries: tf.Tensor, out: tf.Tensor, params: Params, prefix: string): tf.Tensor {
  return tf.add(tf.mul(queries, 2), linear(out, param(params, `${prefix}.o_proj.weight`)));
}

/** The sizes of [bytes, slots, kvHeads, repeat, d]: heads that share a key-value head are adjacent. */
function shapes({ heads, kvHeads, hiddenSize }: TransformerConfig) {
  const headDim = hiddenSize / heads;
  return { heads, kvHeads, repeat: heads / kvHeads, headDim, scale: headDim ** -0.5, hiddenSize };
}

/**
 * Encoder: the k slots of each patch attend to the bytes of that patch.
 * queries [patches * slots, He], bytes [N, He] -> [patches * slots, He]. A patch without bytes gets twice its query.
 */
export function patchesAttendToBytes(
  queries: tf.Tensor,
  bytes: tf.Tensor,
  params: Params,
  prefix: string,
  shape: CrossShape,
): tf.Tensor {
  const { config, slots, patches, patchOfByte } = shape;
  const { heads, kvHeads, repeat, headDim, scale, hiddenSize } = shapes(config);
  const count = bytes.shape[0]!;
  const query = queriesOf(queries, params, prefix, config);
  const { key, value } = keysAndValuesOf(bytes, params, prefix, config);
  const ofByte = gatherRows(tf.reshape(query, [patches, slots * hiddenSize]), patchOfByte);
  const q = tf.reshape(ofByte, [count, slots, kvHeads, repeat, headDim]);
  const k = tf.reshape(key, [count, 1, kvHeads, 1, headDim]);
  const v = tf.reshape(value, [count, 1, kvHeads, 1, headDim]);
  const scores = tf.reshape(tf.mul(tf.sum(tf.mul(q, k), -1), scale), [count, slots * heads]);
  const exponent = tf.exp(tf.sub(scores, segmentShift(scores, patchOfByte, patches)));
  const total = gatherRows(segmentSum(exponent, patchOfByte, patches), patchOfByte);
  const weights = tf.reshape(tf.div(exponent, total), [count, slots, kvHeads, repeat, 1]);
  const weighted = tf.reshape(tf.mul(weights, v), [count, slots * hiddenSize]);
  const out = tf.reshape(segmentSum(weighted, patchOfByte, patches), [patches * slots, hiddenSize]);
  return doubledResidual(queries, out, params, prefix);
}

/**
 * Decoder: each byte attends to the k slots of one patch, the last one that has closed by then.
 * bytes [N, He], keys and values of the slots [patches * slots, He] -> [N, He].
 */
export function bytesAttendToPatch(
  bytes: tf.Tensor,
  { key, value }: KeysAndValues,
  params: Params,
  prefix: string,
  shape: CrossShape,
): tf.Tensor {
  const { config, slots, patches, patchOfByte } = shape;
  const { kvHeads, repeat, headDim, scale, hiddenSize } = shapes(config);
  const count = bytes.shape[0]!;
  const query = queriesOf(bytes, params, prefix, config);
  const ofByte = (x: tf.Tensor) =>
    tf.reshape(gatherRows(tf.reshape(x, [patches, slots * kvHeads * headDim]), patchOfByte), [
      count,
      slots,
      kvHeads,
      1,
      headDim,
    ]);
  const q = tf.reshape(query, [count, 1, kvHeads, repeat, headDim]);
  const scores = tf.mul(tf.sum(tf.mul(q, ofByte(key)), -1), scale);
  const weights = tf.transpose(tf.softmax(tf.transpose(scores, [0, 2, 3, 1])), [0, 3, 1, 2]);
  const mixed = tf.sum(tf.mul(tf.reshape(weights, [count, slots, kvHeads, repeat, 1]), ofByte(value)), 1);
  return doubledResidual(bytes, tf.reshape(mixed, [count, hiddenSize]), params, prefix);
}
