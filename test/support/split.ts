/** @module A split in memory. */
import type { Split } from '../../src/data/index.js';

export function splitOf(pieces: readonly Uint8Array[]): Split {
  return {
    count: pieces.length,
    byteCount: pieces.reduce((sum, { length }) => sum + length, 0),
    byteLength: (i) => pieces[i]!.length,
    read: async (i) => pieces[i]!,
  };
}
