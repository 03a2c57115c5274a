/** @module Measures the bits per byte of a model on documents of any length. */
import { bitsPerByte } from '../blt/index.js';
import type { Scorer } from './scorer.js';

export interface DocumentBits {
  readonly documents: number;
  readonly bytes: number;
  /** Null if there are no bytes. */
  readonly bitsPerByte: number | null;
  /** The patch of BOS is not counted. Null if there are no bytes. */
  readonly bytesPerPatch: number | null;
}

/**
 * Scores each document from its own BOS, in strides: memory grows only with the number of patches of the longest document.
 * @param onBytes called with the number of bytes read so far @param signal checked between strides
 * @throws the signal's reason
 */
export async function bitsOfDocuments(
  scorer: Scorer,
  documents: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<DocumentBits> {
  const { signal, onBytes } = options;
  let [count, bytes, nats, patches] = [0, 0, 0, 0];
  for await (const document of documents) {
    const before = bytes;
    const { nllNats, patchLengths } = await scorer.score(document, {
      signal,
      onProgress: (done) => onBytes(before + done),
    });
    count++;
    bytes += document.length;
    nats += nllNats.reduce((sum, value) => sum + value, 0);
    patches += patchLengths.length - 1;
  }
  if (bytes === 0) return { documents: count, bytes, bitsPerByte: null, bytesPerPatch: null };
  return { documents: count, bytes, bitsPerByte: bitsPerByte(nats, bytes), bytesPerPatch: bytes / patches };
}
