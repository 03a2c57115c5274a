/** @module Scores texts in one batch: the negative log-likelihood of every byte, and the patches. */
import { type BltConfig, encodeBytes } from '../blt/index.js';
import { tf } from '../engine/index.js';
import { BLT_FIELDS, batchTensors, bltForward, cutIntoPatches, type Params, positionLosses } from '../model/index.js';
import type { ByteRow, TextCut } from '../patching/index.js';

export interface ByteScores extends TextCut {
  /** Entry i is the negative log-likelihood of byte i, in nats. */
  readonly nllNats: Float32Array;
}

/** BOS and the text, padded with BOE to `length` positions. */
function textRow(text: Uint8Array, length: number): ByteRow {
  const ids = new Int32Array(length);
  ids.set(encodeBytes(text));
  return { ids, documents: [{ start: 0, end: text.length + 1 }] };
}

/** Patch lengths without the position after the text, which the canonical lengths include. */
function presentLengths(lengths: Int32Array): number[] {
  const present = Array.from(lengths);
  const last = present.pop()! - 1;
  return last === 0 ? present : [...present, last];
}

/** Scores several texts in one batch, each from its own BOS. Shorter texts are padded on the right, which does not change their scores. */
export function scoreTexts(params: Params, config: BltConfig, texts: readonly Uint8Array[]): ByteScores[] {
  const length = Math.max(...texts.map((text) => text.length)) + 1;
  const rows = texts.map((text) => textRow(text, length));
  const { batch, patchLengths, entropies } = cutIntoPatches(params, config, rows);
  const targets = new Int32Array(rows.length * length);
  rows.forEach(({ ids }, row) => {
    targets.set(ids.subarray(1), row * length);
  });
  const losses = tf.tidy(() => positionLosses(bltForward(params, config, batchTensors(batch, BLT_FIELDS)), targets));
  return texts.map((text, row) => ({
    nllNats: losses.slice(row * length, row * length + text.length),
    entropyNats: entropies.slice(row * length, row * length + text.length),
    patchLengths: presentLengths(patchLengths[row]![0]!),
  }));
}
