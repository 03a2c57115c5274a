/**
 * @module The rows of a table that positions read: a byte's own, then those of its hashed n-grams (docs/blt-format.md 1.3). The rows of the 260
 * byte ids come first in the table, and those of the fused hash table follow. No TensorFlow.
 */
import { type HashConfig, hashRows, hashTables, VOCAB_SIZE } from '../../../blt/index.js';
import { keptSizes } from '../../batches/ngram-dropout.js';

/** The number of rows that a position reads. */
export const rowsPerPosition = (hash: HashConfig): number => 1 + hashTables(hash);

/** The number of rows of the table. */
export const rowCount = (hash: HashConfig): number => VOCAB_SIZE + hashTables(hash) * hash.vocab;

/** The rows of each position of a text [positions * rowsPerPosition]. N-grams do not look back beyond its first byte. */
export function rowsOfText(ids: Int32Array, hash: HashConfig): Int32Array {
  const tables = hashTables(hash);
  const stride = 1 + tables;
  const rows = new Int32Array(ids.length * stride);
  ids.forEach((id, position) => {
    rows[position * stride] = id;
  });
  hashRows(ids, hash).forEach((row, i) => {
    rows[Math.floor(i / tables) * stride + 1 + (i % tables)] = VOCAB_SIZE + row;
  });
  return rows;
}

/** The n-gram size of each row of a position: 1 for the byte's own. */
export const orderOfRows = (hash: HashConfig): number[] => [
  1,
  ...Array.from({ length: hash.functions }, () => hash.sizes).flat(),
];

/** Which rows count: 1, or 0 [positions, rowsPerPosition]. */
export interface OrderMask {
  /** The longest n-gram that is known at a position. */
  readonly known: (position: number) => number;
  /** The share of positions at which the n-grams above a random size are left out, so that short ones learn to do alone. */
  readonly droppedShare: number;
  readonly uniform: () => number;
}

export function orderMask(count: number, hash: HashConfig, { known, droppedShare, uniform }: OrderMask): Float32Array {
  const sizes = orderOfRows(hash);
  const kept = keptSizes(hash, droppedShare, uniform);
  const mask = new Float32Array(count * sizes.length).fill(1);
  for (let position = 0; position < count; position++) {
    const largest = Math.min(kept(), known(position));
    for (const [i, size] of sizes.entries()) if (size > largest) mask[position * sizes.length + i] = 0;
  }
  return mask;
}
