/**
 * @module Dropout of n-grams. Text that is read several times makes a model trust its long n-grams, which unseen text rarely repeats. An n-gram that
 * no text contained shares a row with others, so dropped n-grams look up random rows. No TensorFlow.
 */
import { type HashConfig, hashTables } from '../../blt/index.js';

/** The size of the longest n-gram that each position keeps, 1 if none; infinite where nothing is dropped. */
export type KeptSizes = () => number;

/** At a share of the positions, n-grams above a random size are dropped: each table size is the first dropped one equally often. */
export function keptSizes({ sizes }: Pick<HashConfig, 'sizes'>, share: number, uniform: () => number): KeptSizes {
  const ascending = [...sizes].sort((a, b) => a - b);
  return () =>
    uniform() < share ? (ascending[Math.floor(uniform() * ascending.length) - 1] ?? 1) : Number.POSITIVE_INFINITY;
}

/**
 * Replaces the rows of dropped n-grams by random rows of the same tables.
 * @param hashRows rows of the fused hash table [positions * tables], changed in place.
 * @param uniform numbers in [0, 1).
 */
export function dropNgrams(hashRows: Int32Array, hash: HashConfig, share: number, uniform: () => number): void {
  const { sizes, vocab } = hash;
  const tables = hashTables(hash);
  const kept = keptSizes(hash, share, uniform);
  for (let first = 0; first < hashRows.length; first += tables) {
    const largest = kept();
    if (largest === Number.POSITIVE_INFINITY) continue;
    for (let table = 0; table < tables; table++)
      if (sizes[table % sizes.length]! > largest)
        hashRows[first + table] = table * vocab + Math.floor(uniform() * vocab);
  }
}
