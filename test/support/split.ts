/** @module A split in memory. */
import type { StoredSplit } from '../../src/data/index.js';

/** All chunks are of one domain of text. */
export function splitOf(chunks: readonly Uint8Array[]): StoredSplit {
  return {
    files: { bytes: 'in memory', ends: 'in memory' },
    domains: [{ name: 'text', kind: 'text', weight: null, from: 0, to: chunks.length }],
    count: chunks.length,
    byteCount: chunks.reduce((sum, { length }) => sum + length, 0),
    byteLength: (i) => chunks[i]!.length,
    read: async (i) => chunks[i]!,
  };
}
