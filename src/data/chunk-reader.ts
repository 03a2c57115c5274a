/** @module A stream of byte chunks that can be peeked at before it is consumed. */

export interface ChunkReader extends AsyncIterable<Uint8Array> {
  /**
   * Reads ahead until `enough` returns true for the newest chunk and the byte count so far, or to the end of the stream.
   * @returns all bytes that were read and not yet consumed; iterating yields them again.
   */
  peek(enough: (newest: Uint8Array, byteCount: number) => boolean): Promise<Uint8Array>;
  /** Closes the underlying source. */
  close(): Promise<void>;
}

/** Enough to recognise a file type: a tar archive has its magic string at byte 257. */
export const HEAD_BYTES = 4096;

/** A predicate for `peek`: reads the first `HEAD_BYTES` bytes. */
export const headOf = (_newest: Uint8Array, byteCount: number): boolean => byteCount >= HEAD_BYTES;

export function openChunks(chunks: AsyncIterable<Uint8Array>): ChunkReader {
  const source = chunks[Symbol.asyncIterator]();
  let ahead: Uint8Array[] = [];
  let byteCount = 0;
  return {
    async peek(enough) {
      for (let newest: Uint8Array = Buffer.concat(ahead); !enough(newest, byteCount); ) {
        const next = await source.next();
        if (next.done === true) break;
        newest = next.value;
        ahead.push(newest);
        byteCount += newest.length;
      }
      ahead = [Buffer.concat(ahead)];
      return ahead[0]!;
    },
    async *[Symbol.asyncIterator]() {
      const kept = ahead;
      ahead = [];
      for (const chunk of kept) if (chunk.length > 0) yield chunk;
      for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
    },
    async close() {
      await source.return?.();
    },
  };
}
