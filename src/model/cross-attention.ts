/**
 * @module Cross-attention between bytes and patches without a byte-by-patch mask: each byte belongs to one patch, so scores are
 * computed a byte, and softmax and sums run over segments (encoder) or over the k slots of one patch (decoder). blt-format 1.4, 1.6.
 */
import type { TransformerConfig } from '../blt/index.js';
import { gatherRows, linear, rmsNorm, segmentShift, segmentSum, tf } from '../engine/index.js';

import { type Params, param } from './params.js';

interface CrossShape {
  readonly config: TransformerConfig;
  /** Slots a patch: cross_attn_k. */
  readonly slots: number;
  /** Patches in the batch: rows * patches a row. */
  readonly patches: number;
  /** Patch of each byte [bytes], int32, counted over the batch. */
  readonly patchOfByte: tf.Tensor;
}

/** Normed and projected [.., He]. */
function queriesOf(x: tf.Tensor, params: Params, prefix: string, { rmsNormEps }: TransformerConfig): tf.Tensor {
  const weight = (name: string) => param(params, `${prefix}.${name}.weight`);
  return linear(rmsNorm(x, weight('q_norm'), rmsNormEps), weight('q_proj'));
}

/** Keys and values [.., kvHeads * d] of what is attended to. */
export interface KeysAndValues {
  readonly key: tf.Tensor;
  readonly value: tf.Tensor;
}

/** One norm feeds both. */
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

/** The caller adds the residual that the module has already added, as every BLT checkpoint expects (blt-format 1.4, 1.6). */
function doubledResidual(queries: tf.Tensor, out: tf.Tensor, params: Params, prefix: string): tf.Tensor {
  return tf.add(tf.mul(queries, 2), linear(out, param(params, `${prefix}.o_proj.weight`)));
}

/** [bytes, slots, kvHeads, repeat, d]: heads that share a key-value head lie together. */
function shapes({ heads, kvHeads, hiddenSize }: TransformerConfig) {
  const headDim = hiddenSize / heads;
  return { heads, kvHeads, repeat: heads / kvHeads, headDim, scale: headDim ** -0.5, hiddenSize };
}

/**
 * Encoder: the k rows of each patch attend over the bytes of that patch.
 * queries [patches * slots, He], bytes [N, He] -> [patches * slots, He]. A patch without bytes gets 2 * its query.
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
 * Decoder: each byte attends over the k rows of one patch, the last that is closed at it.
 * bytes [N, He], keys and values of patch rows [patches * slots, He] -> [N, He].
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
