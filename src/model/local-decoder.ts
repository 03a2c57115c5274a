/** @module Patches back to bytes: cross-attention to one closed patch and local blocks (blt-format 1.6). */
import type { BltConfig } from '../blt/index.js';
import { linear, rmsNorm, tf } from '../engine/index.js';
import type { PatchedTensors } from './batch-tensors.js';
import { type BlockContext, layer } from './block.js';
import { bytesAttendToPatch, type KeysAndValues, keysAndValuesOf } from './cross-attention.js';
import { type Params, param } from './params.js';

const PREFIX = 'model.local_decoder';

const crossPrefix = (i: number) => `${PREFIX}.cross_attn_layers.${i}`;

/** Layers that attend to patches. */
export const crossLayers = ({ decoder }: BltConfig): number => (decoder.crossAttnAllLayers ? decoder.layers : 1);

/** The k rows of each patch: latent patches [patches, Hg] -> [patches * k, Hd]. */
export function patchRowsOf(params: Params, { decoder }: BltConfig, patches: tf.Tensor): tf.Tensor {
  const projected = linear(patches, param(params, `${PREFIX}.patch_embedding_projection.weight`));
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
    hidden = layer(hidden, params, `${PREFIX}.layers.${i}`, context);
  }
  return rmsNorm(hidden, param(params, `${PREFIX}.norm.weight`), decoder.rmsNormEps);
}

/** bytes [rows * length, He] of the encoder and patches [rows * patches, Hg] -> normed hidden states [rows * length, Hd]. */
export function localDecoder(
  params: Params,
  config: BltConfig,
  batch: PatchedTensors,
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
