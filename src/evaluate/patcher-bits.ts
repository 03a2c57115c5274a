/** @module The bits per byte of the patcher, which is a byte-level language model. */
import { type BltConfig, bitsPerByte } from '../blt/index.js';
import { tf } from '../engine/index.js';
import { batchTensors, PATCHER_FIELDS, type Params, patcherForward, positionLosses } from '../model/index.js';
import { textBatch } from '../patching/index.js';

/** The negative log-likelihood of a text after BOS, in nats, summed over its bytes. */
export function byteModelNats(params: Params, config: BltConfig, text: Uint8Array): number {
  const batch = textBatch(text);
  const targets = new Int32Array(batch.ids.length);
  targets.set(batch.ids.subarray(1));
  const losses = tf.tidy(() =>
    positionLosses(patcherForward(params, config.patcher, batchTensors(batch, PATCHER_FIELDS)), targets),
  );
  return losses.subarray(0, text.length).reduce((sum, nats) => sum + nats, 0);
}

/** The patcher's bits per byte on texts, each after its own BOS. */
export function byteModelBitsPerByte(params: Params, config: BltConfig, texts: readonly Uint8Array[]): number {
  const nats = texts.reduce((sum, text) => sum + byteModelNats(params, config, text), 0);
  return bitsPerByte(
    nats,
    texts.reduce((sum, { length }) => sum + length, 0),
  );
}
