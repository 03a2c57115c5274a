/** @module Patches back to bytes: cross-attention to one closed patch and local blocks (blt-format 1.6). */
import type { BltConfig } from '../blt/index.js';
import { linear, rmsNorm, tf } from '../engine/index.js';
import type { PatchedTensors } from './batch-tensors.js';
import { type BlockContext, layer } from './block.js';
import { bytesAttendToPatch } from './cross-attention.js';
import { type Params, param } from './params.js';

const PREFIX = 'model.local_decoder';

/** bytes [rows * length, He] of the encoder and patches [rows * patches, Hg] -> normed hidden states [rows * length, Hd]. */
export function localDecoder(
  params: Params,
  config: BltConfig,
  batch: PatchedTensors,
  context: BlockContext,
  inputs: { bytes: tf.Tensor; patches: tf.Tensor },
): tf.Tensor {
  const { decoder, crossAttnK: slots } = config;
  const patches = batch.rows * batch.patches;
  const projected = linear(inputs.patches, param(params, `${PREFIX}.patch_embedding_projection.weight`));
  const patchRows = tf.reshape(projected, [patches * slots, decoder.hiddenSize]);
  const shape = { config: decoder, slots, patches, patchOfByte: batch.decoderPatch };
  let hidden = inputs.bytes;
  for (let i = 0; i < decoder.layers; i++) {
    if (i === 0 || decoder.crossAttnAllLayers) {
      const before = hidden;
      hidden = tf.tidy(() => bytesAttendToPatch(before, patchRows, params, `${PREFIX}.cross_attn_layers.${i}`, shape));
    }
    hidden = layer(hidden, params, `${PREFIX}.layers.${i}`, context);
  }
  return rmsNorm(hidden, param(params, `${PREFIX}.norm.weight`), decoder.rmsNormEps);
}
