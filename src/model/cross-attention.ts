/**
 * @module Cross-attention between bytes and patches without a byte-by-patch mask (blt-format 1.4, 1.6). Each byte belongs to one patch, so
 * scores are computed per byte, and softmax and sums run over segments (encoder) or over the k slots of one patch (decoder). With one slot there
 * is nothing to weigh: the decoder's output is computed once per patch.
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

/** The keys and values [.., kvHeads * d] of x, which share one norm. */
function keysAndValuesOf(x: tf.Tensor, params: Params, prefix: string, { rmsNormEps }: TransformerConfig) {
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
 * What bytes read of the patches in a decoder layer. Several slots: their keys and values [patches * slots, kvHeads * d]. One slot: the output
 * of the cross-attention [patches, Hd], which is the same for every byte, because the softmax over a single key is 1.
 */
export type PatchRows = readonly [output: tf.Tensor] | readonly [key: tf.Tensor, value: tf.Tensor];

/** The widths of the `PatchRows` of one patch. */
export function patchRowWidths(config: TransformerConfig, slots: number): number[] {
  const { kvHeads, headDim, hiddenSize } = shapes(config);
  return slots === 1 ? [hiddenSize] : [slots * kvHeads * headDim, slots * kvHeads * headDim];
}

/** Computes what bytes read from the slots of the patches: x [patches * slots, Hd]. */
export function patchRowsOf(
  x: tf.Tensor,
  params: Params,
  prefix: string,
  config: TransformerConfig,
  slots: number,
): PatchRows {
  if (slots === 1) return [onlyOutput(x, params, prefix, config)];
  const { key, value } = keysAndValuesOf(x, params, prefix, config);
  return [key, value];
}

/** The output of a cross-attention with a single key: x [patches, Hd] -> [patches, Hd]. Queries, keys and their weights have no influence. */
function onlyOutput(x: tf.Tensor, params: Params, prefix: string, config: TransformerConfig): tf.Tensor {
  const { kvHeads, repeat, headDim, hiddenSize } = shapes(config);
  const weight = (name: string) => param(params, `${prefix}.${name}.weight`);
  const value = linear(rmsNorm(x, weight('k_norm'), config.rmsNormEps), weight('v_proj'));
  const ofHeads = tf.tile(tf.reshape(value, [-1, kvHeads, 1, headDim]), [1, 1, repeat, 1]);
  return linear(tf.reshape(ofHeads, [-1, hiddenSize]), weight('o_proj'));
}

/** Decoder: each byte attends to the slots of one patch, the last one that has closed by then. bytes [N, Hd] -> [N, Hd]. */
export function bytesAttendToPatch(
  bytes: tf.Tensor,
  [first, value]: PatchRows,
  params: Params,
  prefix: string,
  shape: CrossShape,
): tf.Tensor {
  const { config, slots, patches, patchOfByte } = shape;
  if (value === undefined) return tf.add(tf.mul(bytes, 2), gatherRows(first, patchOfByte));
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
  const scores = tf.mul(tf.sum(tf.mul(q, ofByte(first)), -1), scale);
  const weights = tf.transpose(tf.softmax(tf.transpose(scores, [0, 2, 3, 1])), [0, 3, 1, 2]);
  const mixed = tf.sum(tf.mul(tf.reshape(weights, [count, slots, kvHeads, repeat, 1]), ofByte(value)), 1);
  return doubledResidual(bytes, tf.reshape(mixed, [count, hiddenSize]), params, prefix);
}
