/** @module Chunks of bytes that can be looked at before they are used. */

export interface ChunkReader extends AsyncIterable<Uint8Array> {
  /**
   * Reads ahead until `enough` says so of the newest chunk and the byte count so far, or to the end.
   * @returns what was read and is not used yet; iterating gives it again.
   */
  peek(enough: (newest: Uint8Array, byteCount: number) => boolean): Promise<Uint8Array>;
  /** Closes what the chunks come from. */
  close(): Promise<void>;
}

/** Enough to recognise a file by: a tar archive names itself at byte 257. */
export const HEAD_BYTES = 4096;

/** For `peek`: the beginning of a file. */
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
