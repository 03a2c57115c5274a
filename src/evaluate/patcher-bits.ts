/** @module Bits per byte of the patcher as the byte language model it is. */
import { type BltConfig, bitsPerByte, encodeBytes } from '../blt/index.js';
import { tf } from '../engine/index.js';
import { type Params, patcherLogits, positionLosses } from '../model/index.js';
import { byteBatch, wholeRow } from '../patching/index.js';

/** Sum of negative log-likelihoods of a text's bytes, which follow BOS. */
export function byteModelNats(params: Params, config: BltConfig, text: Uint8Array): number {
  const ids = encodeBytes(text);
  const targets = new Int32Array(ids.length);
  targets.set(ids.subarray(1));
  const losses = tf.tidy(() =>
    positionLosses(patcherLogits(params, config.patcher, byteBatch([wholeRow(ids)])), targets),
  );
  return losses.subarray(0, text.length).reduce((sum, nats) => sum + nats, 0);
}

/** Each text follows its own BOS. */
export function byteModelBitsPerByte(params: Params, config: BltConfig, texts: readonly Uint8Array[]): number {
  const nats = texts.reduce((sum, text) => sum + byteModelNats(params, config, text), 0);
  return bitsPerByte(
    nats,
    texts.reduce((sum, { length }) => sum + length, 0),
  );
}
