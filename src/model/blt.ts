/** @module The BLT forward pass: bytes -> patches -> latent global transformer -> bytes (blt-format 1). */
import type { BltConfig } from '../blt/index.js';
import { crossEntropyRows, crossEntropySum, linear, tf } from '../engine/index.js';
import { type ByteRow, byteBatch, type PatchedBatch, patchedBatch } from '../patching/index.js';
import { type PatchedTensors, patchedTensors } from './batch-tensors.js';
import { blockContext, type ForwardOptions } from './block.js';
import { globalTransformer } from './global-transformer.js';
import { localDecoder } from './local-decoder.js';
import { type EncoderOutput, localEncoder } from './local-encoder.js';
import { type Params, param } from './params.js';
import { patcherEntropies } from './patcher/patcher.js';

/** Bytes to states [rows * length, He] and patches [rows * patches, k * He]. */
export function bltEncode(
  params: Params,
  config: BltConfig,
  batch: PatchedTensors,
  options: ForwardOptions = {},
): EncoderOutput {
  return localEncoder(params, config, batch, blockContext(config.encoder, batch, options));
}

/** Next-byte logits [rows * length, 260] of the encoder's bytes and the latent patches [rows * patches, Hg]. */
export function bltDecode(
  params: Params,
  config: BltConfig,
  batch: PatchedTensors,
  inputs: { readonly bytes: tf.Tensor; readonly patches: tf.Tensor },
  options: ForwardOptions = {},
): tf.Tensor {
  const hidden = localDecoder(params, config, batch, blockContext(config.decoder, batch, options), inputs);
  return linear(hidden, param(params, 'lm_head.weight'));
}

/** Next-byte logits [rows * length, 260] in float32. */
export function bltForward(
  params: Params,
  config: BltConfig,
  batch: PatchedTensors,
  options: ForwardOptions = {},
): tf.Tensor {
  const { rows, patches: length, patchDocuments: documents } = batch;
  const { bytes, patches } = bltEncode(params, config, batch, options);
  const latent = globalTransformer(params, patches, blockContext(config.global, { rows, length, documents }, options));
  return bltDecode(params, config, batch, { bytes, patches: latent }, options);
}

/** The same of a batch that is not in the engine yet. */
export function bltLogits(params: Params, config: BltConfig, batch: PatchedBatch): tf.Tensor {
  return tf.tidy(() => bltForward(params, config, patchedTensors(batch)));
}

/** What each position should predict; positions with weight 0 do not count. Both are row-major over [rows, length]. */
export interface Targets {
  readonly ids: Int32Array;
  readonly weights: Float32Array;
}

/**
 * Weighted cross-entropy in nats, divided by `denominator`: a scalar with gradients. With the step's total weight as the denominator
 * the losses of micro-batches add up to the step's mean.
 */
export function nextByteLoss(logits: tf.Tensor, targets: Targets, denominator: number): tf.Scalar {
  const labels = tf.tensor1d(targets.ids, 'int32');
  return tf.div(crossEntropySum(logits, labels, tf.tensor1d(targets.weights)), denominator) as tf.Scalar;
}

/** Cross-entropy in nats of each position [rows * length], as values. */
export function positionLosses(logits: tf.Tensor, ids: Int32Array): Float32Array {
  return tf.tidy(() => crossEntropyRows(logits, tf.tensor1d(ids, 'int32')).dataSync() as Float32Array);
}

export interface CutRows {
  readonly batch: PatchedBatch;
  /** Nats, [rows, length]: of the patcher's prediction made at each position. */
  readonly entropies: Float32Array;
}

/** Runs the patcher over rows and cuts them where its entropy exceeds the threshold. */
export function cutIntoPatches(params: Params, config: BltConfig, rows: readonly ByteRow[]): CutRows {
  const entropies = patcherEntropies(params, config.patcher, byteBatch(rows));
  return { batch: patchedBatch(rows, entropies, config), entropies };
}
