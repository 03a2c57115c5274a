/** @module What the state before each byte has read, where a source reads a text patch by patch. No TensorFlow. */

import type { SourceChunks } from './chunks.js';

/** What the state that a byte is predicted from has read: all before it, or less. */
export type ByteReading = 'inside' | 'fresh' | 'stale' | 'unread';

/** @param encoderPatch the patch that each position is pooled into [1 + bytes]: BOS, then the bytes. */
export function byteReadings(chunks: SourceChunks, encoderPatch: Int32Array): ByteReading[] {
  const { tokenOfByte, offsetInToken, patchOfByte, lastToken } = chunks;
  return Array.from(tokenOfByte, (token, i) => {
    if (offsetInToken[i]! > 0) return 'inside';
    const patch = patchOfByte[i]!;
    if (token !== lastToken[patch - 1]! + 1) return 'unread';
    return patch === encoderPatch[i + 1] ? 'fresh' : 'stale';
  });
}
