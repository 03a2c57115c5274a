/** @module A split in memory. */
import type { Split } from '../../src/data/index.js';

export function splitOf(chunks: readonly Uint8Array[]): Split {
  return {
    count: chunks.length,
    byteCount: chunks.reduce((sum, { length }) => sum + length, 0),
    byteLength: (i) => chunks[i]!.length,
    read: async (i) => chunks[i]!,
  };
}
