/**
 * @module The BLT forward pass: bytes -> local encoder -> patches -> latent global transformer -> local decoder -> next-byte logits (blt-format 1).
 * N = rows * length positions, He, Hg and Hd the widths of encoder, global transformer and decoder, k the slots per patch (cross_attn_k).
 */
import { type BltConfig, encoderCrossLayers, hashTables } from '../blt/index.js';
import { gatherRows, linear, rmsNorm, segmentMax, tf } from '../engine/index.js';
import type { BltBatch, DecoderBatch, EncoderBatch } from './batch-tensors.js';
import { bytesAttendToPatch, type KeysAndValues, keysAndValuesOf, patchesAttendToBytes } from './cross-attention.js';
import { type Params, param } from './params.js';
import { type BlockContext, blockContext, blocks, type ForwardOptions, layer } from './transformer.js';

/** Next-byte logits [rows * length, 260] in float32. */
export function bltForward(
  params: Params,
  config: BltConfig,
  batch: BltBatch,
  options: ForwardOptions = {},
): tf.Tensor {
  const { rows, patches: length, patchDocuments: documents } = batch;
  const { bytes, patches } = bltEncode(params, config, batch, options);
  const latent = globalTransformer(params, patches, blockContext(config.global, { rows, length, documents }, options));
  return bltDecode(params, config, batch, { bytes, patches: latent }, options);
}

// Local encoder: bytes to patches (blt-format 1.3, 1.4).

/** Bytes to states [rows * length, He] and patches [rows * patches, k * He]. */
export function bltEncode(
  params: Params,
  config: BltConfig,
  batch: EncoderBatch,
  options: ForwardOptions = {},
): EncoderOutput {
  return localEncoder(params, config, batch, blockContext(config.encoder, batch, options));
}

/** Byte embedding plus the sum of its hash n-gram embeddings: [rows * length, He]. */
function embed(params: Params, config: BltConfig, batch: Pick<EncoderBatch, 'ids' | 'hashRows'>): tf.Tensor {
  const tables = hashTables(config.hash);
  const bytes = gatherRows(param(params, 'model.local_encoder.embed_tokens.weight'), batch.ids);
  const grams = gatherRows(param(params, 'model.encoder_hash_tok_embedding.weight'), batch.hashRows);
  return tf.add(bytes, tf.sum(tf.reshape(grams, [batch.ids.size, tables, config.encoder.hiddenSize]), 1));
}

/** States of bytes [N, He]. */
export function byteStates(
  params: Params,
  config: BltConfig,
  batch: Pick<EncoderBatch, 'ids' | 'hashRows'>,
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
  batch: EncoderBatch,
  context: BlockContext,
): EncoderOutput {
  const bytes = byteStates(params, config, batch, context);
  return { bytes, patches: pooledPatches(params, config, bytes, batch.encoderPatch, batch.rows * batch.patches) };
}

// Latent global transformer: where the source's layers are (blt-format 1.5).

/** patches [rows * patches, k * He] -> [rows * patches, Hg]: what stands where the source has its token embeddings. */
export function patchVectors(params: Params, patches: tf.Tensor): tf.Tensor {
  // Present only where k * He differs from Hg.
  const projection = params.get('model.global_transformer.token_embedding_projection.weight');
  return projection === undefined ? patches : linear(patches, projection);
}

/** The layers over vectors [rows * length, Hg], patches or token embeddings. No final norm. */
export function globalLayers(params: Params, vectors: tf.Tensor, context: BlockContext): tf.Tensor {
  return blocks(vectors, params, 'model.global_transformer', context);
}

/** patches [rows * patches, k * He] -> [rows * patches, Hg]. No final norm. */
export function globalTransformer(params: Params, patches: tf.Tensor, context: BlockContext): tf.Tensor {
  return globalLayers(params, patchVectors(params, patches), context);
}

// Local decoder: patches to bytes (blt-format 1.6).

/** Next-byte logits [rows * length, 260] of the encoder's bytes and the latent patches [rows * patches, Hg]. */
export function bltDecode(
  params: Params,
  config: BltConfig,
  batch: DecoderBatch,
  inputs: { readonly bytes: tf.Tensor; readonly patches: tf.Tensor },
  options: ForwardOptions = {},
): tf.Tensor {
  const hidden = localDecoder(params, config, batch, blockContext(config.decoder, batch, options), inputs);
  return linear(hidden, param(params, 'lm_head.weight'));
}

const crossPrefix = (i: number) => `model.local_decoder.cross_attn_layers.${i}`;

/** Layers that attend to patches. */
export const crossLayers = ({ decoder }: BltConfig): number => (decoder.crossAttnAllLayers ? decoder.layers : 1);

/** The k rows of each patch: latent patches [patches, Hg] -> [patches * k, Hd]. */
export function patchRowsOf(params: Params, { decoder }: BltConfig, patches: tf.Tensor): tf.Tensor {
  const projected = linear(patches, param(params, 'model.local_decoder.patch_embedding_projection.weight'));
  return tf.reshape(projected, [-1, decoder.hiddenSize]);
}

/** What a layer that attends to patches makes of their rows. */
export function crossKeysAndValues(params: Params, { decoder }: BltConfig, rows: tf.Tensor, i: number): KeysAndValues {
  return keysAndValuesOf(rows, params, crossPrefix(i), decoder);
}

/** Which patch each byte attends to, of how many, and what a layer makes of them. */
export interface PatchReading {
  readonly patches: number;
  /** [N]. */
  readonly patchOfByte: tf.Tensor;
  readonly of: (layer: number) => KeysAndValues;
}

/** Byte states [N, He] of the encoder -> normed hidden states [N, Hd]. */
export function decoderLayers(
  params: Params,
  config: BltConfig,
  bytes: tf.Tensor,
  { patches, patchOfByte, of }: PatchReading,
  context: BlockContext,
): tf.Tensor {
  const { decoder, crossAttnK: slots } = config;
  const shape = { config: decoder, slots, patches, patchOfByte };
  let hidden = bytes;
  for (let i = 0; i < decoder.layers; i++) {
    if (i < crossLayers(config)) {
      const before = hidden;
      hidden = tf.tidy(() => bytesAttendToPatch(before, of(i), params, crossPrefix(i), shape));
    }
    hidden = layer(hidden, params, `model.local_decoder.layers.${i}`, context);
  }
  return rmsNorm(hidden, param(params, 'model.local_decoder.norm.weight'), decoder.rmsNormEps);
}

/** bytes [rows * length, He] of the encoder and patches [rows * patches, Hg] -> normed hidden states [rows * length, Hd]. */
export function localDecoder(
  params: Params,
  config: BltConfig,
  batch: DecoderBatch,
  context: BlockContext,
  inputs: { bytes: tf.Tensor; patches: tf.Tensor },
): tf.Tensor {
  const rows = patchRowsOf(params, config, inputs.patches);
  const reading: PatchReading = {
    patches: batch.rows * batch.patches,
    patchOfByte: batch.decoderPatch,
    of: (i) => crossKeysAndValues(params, config, rows, i),
  };
  return decoderLayers(params, config, inputs.bytes, reading, context);
}
