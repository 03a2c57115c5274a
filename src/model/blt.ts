/**
 * @module The BLT forward pass: bytes -> local encoder -> patches -> latent global transformer -> local decoder -> next-byte logits (blt-format 1).
 * N is rows * length positions; He, Hg and Hd are the widths of encoder, global transformer and decoder; k is the slots per patch (cross_attn_k).
 */
import { type BltConfig, encoderCrossLayers, hashTables } from '../blt/index.js';
import { gatherRows, linear, rmsNorm, segmentMax, tf } from '../engine/index.js';
import type { BltBatch, DecoderBatch, EncoderBatch } from './batch-tensors.js';
import { bytesAttendToPatch, type PatchRows, patchesAttendToBytes, patchRowsOf } from './cross-attention.js';
import { type Params, param } from './params.js';
import { type BlockContext, blockContext, blocks, type ForwardOptions, layer } from './transformer.js';

/** The whole model: a batch -> next-byte logits [rows * length, 260] in float32. */
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

/** Encodes a batch: byte states [rows * length, He] and patches [rows * patches, k * He]. */
export function bltEncode(
  params: Params,
  config: BltConfig,
  batch: EncoderBatch,
  options: ForwardOptions = {},
): EncoderOutput {
  return localEncoder(params, config, batch, blockContext(config.encoder, batch, options));
}

/** Each byte's embedding plus the sum of its n-gram embeddings: [rows * length, He]. */
function embed(params: Params, config: BltConfig, batch: Pick<EncoderBatch, 'ids' | 'hashRows'>): tf.Tensor {
  const tables = hashTables(config.hash);
  const bytes = gatherRows(param(params, 'model.local_encoder.embed_tokens.weight'), batch.ids);
  const grams = gatherRows(param(params, 'model.encoder_hash_tok_embedding.weight'), batch.hashRows);
  return tf.add(bytes, tf.sum(tf.reshape(grams, [batch.ids.size, tables, config.encoder.hiddenSize]), 1));
}

/** The encoder's byte states [N, He]: the embeddings after its layers. */
export function byteStates(
  params: Params,
  config: BltConfig,
  batch: Pick<EncoderBatch, 'ids' | 'hashRows'>,
  context: BlockContext,
): tf.Tensor {
  return blocks(embed(params, config, batch), params, 'model.local_encoder', context);
}

/** Pools byte states [N, He] into patches [patches, k * He]. @param patchOfByte the patch of each byte, int32 [N] */
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
  /** Byte states [rows * length, He], from which the decoder starts. */
  readonly bytes: tf.Tensor;
  /** Patches [rows * patches, k * He]. */
  readonly patches: tf.Tensor;
}

/** The encoder in any context: byte states, pooled into patches. */
export function localEncoder(
  params: Params,
  config: BltConfig,
  batch: EncoderBatch,
  context: BlockContext,
): EncoderOutput {
  const bytes = byteStates(params, config, batch, context);
  return { bytes, patches: pooledPatches(params, config, bytes, batch.encoderPatch, batch.rows * batch.patches) };
}

// Latent global transformer: the source's layers (blt-format 1.5).

/** Patches [rows * patches, k * He] -> [rows * patches, Hg]: the global layers' input, in place of the source's token embeddings. */
export function patchVectors(params: Params, patches: tf.Tensor): tf.Tensor {
  // The projection exists only if k * He differs from Hg.
  const projection = params.get('model.global_transformer.token_embedding_projection.weight');
  return projection === undefined ? patches : linear(patches, projection);
}

/** The name of the latent global transformer in a checkpoint. */
export const GLOBAL_PREFIX = 'model.global_transformer';

/** The global layers on vectors [rows * length, Hg], which are patches or token embeddings. No final norm. */
export function globalLayers(params: Params, vectors: tf.Tensor, context: BlockContext): tf.Tensor {
  return blocks(vectors, params, GLOBAL_PREFIX, context);
}

/** Patches [rows * patches, k * He] -> latent patches [rows * patches, Hg]. No final norm. */
export function globalTransformer(params: Params, patches: tf.Tensor, context: BlockContext): tf.Tensor {
  return globalLayers(params, patchVectors(params, patches), context);
}

// Local decoder: patches to bytes (blt-format 1.6).

/** Decodes byte states [rows * length, He] and latent patches [rows * patches, Hg] into next-byte logits [rows * length, 260]. */
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

/** The number of decoder layers that attend to patches: all, or the first. */
export const crossLayers = ({ decoder }: BltConfig): number => (decoder.crossAttnAllLayers ? decoder.layers : 1);

/** Projects latent patches [patches, Hg] into their k slots [patches * k, Hd]. */
export function patchSlotsOf(params: Params, { decoder }: BltConfig, patches: tf.Tensor): tf.Tensor {
  const projected = linear(patches, param(params, 'model.local_decoder.patch_embedding_projection.weight'));
  return tf.reshape(projected, [-1, decoder.hiddenSize]);
}

/** What bytes read of the patches in decoder layer i, from the patches' slots [patches * k, Hd]. */
export function crossRowsOf(params: Params, config: BltConfig, slots: tf.Tensor, i: number): PatchRows {
  return patchRowsOf(slots, params, crossPrefix(i), config.decoder, config.crossAttnK);
}

/** What the decoder's cross-attention reads. */
export interface PatchReading {
  /** Number of patches. */
  readonly patches: number;
  /** The patch that each byte attends to, int32 [N]. */
  readonly patchOfByte: tf.Tensor;
  /** What bytes read of all patches in a layer. */
  readonly of: (layer: number) => PatchRows;
}

/** The decoder's layers and final norm: the encoder's byte states [N, He] -> normed hidden states [N, Hd]. */
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

/** The decoder in any context: byte states [rows * length, He] and latent patches [rows * patches, Hg] -> normed hidden states [rows * length, Hd]. */
export function localDecoder(
  params: Params,
  config: BltConfig,
  batch: DecoderBatch,
  context: BlockContext,
  inputs: { bytes: tf.Tensor; patches: tf.Tensor },
): tf.Tensor {
  const slots = patchSlotsOf(params, config, inputs.patches);
  const reading: PatchReading = {
    patches: batch.rows * batch.patches,
    patchOfByte: batch.decoderPatch,
    of: (i) => crossRowsOf(params, config, slots, i),
  };
  return decoderLayers(params, config, inputs.bytes, reading, context);
}
