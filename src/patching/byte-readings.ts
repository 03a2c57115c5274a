/** @module How much of a text the source's state before each byte has read, if the source reads patch by patch. No TensorFlow. */
import type { SourceChunks } from './chunks.js';

/**
 * What the source's state has read when a byte is predicted: `inside` if the byte continues a token. For the first byte of a token: `fresh` if
 * the state has read everything before it; `stale` if the patch before it is cut late, and so closes only with this byte; `unread` if the token
 * begins inside a patch, which has no state before it.
 */
export type ByteReading = 'inside' | 'fresh' | 'stale' | 'unread';

/** The reading of each byte. @param encoderPatch the patch that each position (BOS, then the bytes) is pooled into [1 + bytes] */
export function byteReadings(chunks: SourceChunks, encoderPatch: Int32Array): ByteReading[] {
  const { tokenOfByte, offsetInToken, patchOfByte, lastToken } = chunks;
  return Array.from(tokenOfByte, (token, i) => {
    if (offsetInToken[i]! > 0) return 'inside';
    const patch = patchOfByte[i]!;
    if (token !== lastToken[patch - 1]! + 1) return 'unread';
    return patch === encoderPatch[i + 1] ? 'fresh' : 'stale';
  });
}
