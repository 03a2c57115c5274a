/** @module Bytes to patches: byte and hash n-gram embeddings, local blocks, pooling and cross-attention (blt-format 1.3, 1.4). */
import { type BltConfig, encoderCrossLayers, hashTables } from '../blt/index.js';
import { gatherRows, linear, segmentMax, tf } from '../engine/index.js';
import type { PatchedTensors } from './batch-tensors.js';
import { type BlockContext, blocks } from './block.js';
import { patchesAttendToBytes } from './cross-attention.js';
import { type Params, param } from './params.js';

/** Byte embedding plus the sum of its hash n-gram embeddings: [rows * length, He]. */
function embed(params: Params, config: BltConfig, batch: Pick<PatchedTensors, 'ids' | 'hashRows'>): tf.Tensor {
  const tables = hashTables(config.hash);
  const bytes = gatherRows(param(params, 'model.local_encoder.embed_tokens.weight'), batch.ids);
  const grams = gatherRows(param(params, 'model.encoder_hash_tok_embedding.weight'), batch.hashRows);
  return tf.add(bytes, tf.sum(tf.reshape(grams, [batch.ids.size, tables, config.encoder.hiddenSize]), 1));
}

/** States of bytes [N, He]. */
export function byteStates(
  params: Params,
  config: BltConfig,
  batch: Pick<PatchedTensors, 'ids' | 'hashRows'>,
  context: BlockContext,
): tf.Tensor {
  return blocks(embed(params, config, batch), params, 'model.local_encoder', context);
}

/** Patches [patches, k * He] of states of bytes [N, He]. @param patchOfByte [N]. */
export function pooledPatches(
  params: Params,
  config: BltConfig,
  bytes: tf.Tensor,
  patchOfByte: tf.Tensor,
  patches: number,
): tf.Tensor {
  const { encoder, crossAttnK: slots } = config;
  const pooled = segmentMax(bytes, patchOfByte, patches);
  const projected = linear(pooled, param(params, 'model.local_encoder.patch_embedding_projection.weight'));
  const queries = tf.reshape(projected, [patches * slots, encoder.hiddenSize]);
  const shape = { config: encoder, slots, patches, patchOfByte };
  const prefix = `model.local_encoder.cross_attn_layers.${encoderCrossLayers(config) - 1}`;
  const rows = tf.tidy(() => patchesAttendToBytes(queries, bytes, params, prefix, shape));
  return tf.reshape(rows, [patches, slots * encoder.hiddenSize]);
}

export interface EncoderOutput {
  /** [rows * length, He]: what the decoder starts from. */
  readonly bytes: tf.Tensor;
  /** [rows * patches, k * He]. */
  readonly patches: tf.Tensor;
}

export function localEncoder(
  params: Params,
  config: BltConfig,
  batch: PatchedTensors,
  context: BlockContext,
): EncoderOutput {
  const bytes = byteStates(params, config, batch, context);
  return { bytes, patches: pooledPatches(params, config, bytes, batch.encoderPatch, batch.rows * batch.patches) };
}
