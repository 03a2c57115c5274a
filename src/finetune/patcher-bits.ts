/** @module Bits per byte of the patcher as the byte language model it is. */
import { type BltConfig, bitsPerByte, encodeBytes } from '../blt/index.js';
import { tf } from '../engine/index.js';
import { byteBatch, type Params, patcherLogits, positionLosses, wholeRow } from '../model/index.js';

/** Each text follows its own BOS. */
export function byteModelBitsPerByte(params: Params, config: BltConfig, texts: readonly Uint8Array[]): number {
  let [nats, byteCount] = [0, 0];
  for (const text of texts) {
    const ids = encodeBytes(text);
    const targets = new Int32Array(ids.length);
    targets.set(ids.subarray(1));
    const losses = tf.tidy(() =>
      positionLosses(patcherLogits(params, config.patcher, byteBatch([wholeRow(ids)])), targets),
    );
    for (let i = 0; i < text.length; i++) nats += losses[i]!;
    byteCount += text.length;
  }
  return bitsPerByte(nats, byteCount);
}
