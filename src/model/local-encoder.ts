/** @module Bytes to patches: byte and hash n-gram embeddings, local blocks, pooling and cross-attention (blt-format 1.3, 1.4). */
import type { BltConfig } from '../blt/index.js';
import { gatherRows, linear, segmentMax, tf } from '../engine/index.js';
import type { PatchedTensors } from './batch-tensors.js';
import { type BlockContext, blocks } from './block.js';
import { patchesAttendToBytes } from './cross-attention.js';
import { type Params, param } from './params.js';

/** Byte embedding plus the sum of its hash n-gram embeddings: [rows * length, He]. */
function embed(params: Params, config: BltConfig, batch: PatchedTensors): tf.Tensor {
  const tables = config.hash.functions * config.hash.sizes.length;
  const bytes = gatherRows(param(params, 'model.local_encoder.embed_tokens.weight'), batch.ids);
  const grams = gatherRows(param(params, 'model.encoder_hash_tok_embedding.weight'), batch.hashRows);
  return tf.add(bytes, tf.sum(tf.reshape(grams, [batch.ids.size, tables, config.encoder.hiddenSize]), 1));
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
  const { encoder, crossAttnK: slots } = config;
  const patches = batch.rows * batch.patches;
  const patchOfByte = batch.encoderPatch;
  const bytes = blocks(embed(params, config, batch), params, 'model.local_encoder', context);
  const pooled = segmentMax(bytes, patchOfByte, patches);
  const projected = linear(pooled, param(params, 'model.local_encoder.patch_embedding_projection.weight'));
  const queries = tf.reshape(projected, [patches * slots, encoder.hiddenSize]);
  const shape = { config: encoder, slots, patches, patchOfByte };
  const rows = tf.tidy(() =>
    patchesAttendToBytes(queries, bytes, params, 'model.local_encoder.cross_attn_layers.0', shape),
  );
  return { bytes, patches: tf.reshape(rows, [patches, slots * encoder.hiddenSize]) };
}
