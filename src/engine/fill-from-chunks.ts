/** @module Fills memory of a known size from consecutive chunks. */
import { ByteifyError } from '../errors.js';

/**
 * @param write copies a chunk to an offset in bytes
 * @throws ByteifyError when the total length of the chunks differs from `byteCount`
 */
export async function fillFromChunks(
  chunks: AsyncIterable<Uint8Array>,
  byteCount: number,
  write: (chunk: Uint8Array, offset: number) => void,
): Promise<void> {
  let filled = 0;
  for await (const chunk of chunks) {
    if (filled + chunk.byteLength > byteCount) throw new ByteifyError('A tensor received more bytes than its size.');
    write(chunk, filled);
    filled += chunk.byteLength;
  }
  if (filled !== byteCount) throw new ByteifyError(`A tensor of ${byteCount} bytes received only ${filled}.`);
}
