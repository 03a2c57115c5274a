/**
 * @module Dropout of n-grams. Text that is read several times makes a model trust its long n-grams, which unseen text rarely repeats. An n-gram that
 * no text contained shares a row with others, so dropped n-grams look up random rows. No TensorFlow.
 */
import { type HashConfig, hashTables } from '../../blt/index.js';
import type { PackedRow } from '../../data/index.js';
import { uniformOf } from '../../random.js';

/**
 * At a share of the positions, n-grams above a random size are dropped: each table size is the first dropped one equally often.
 * @returns for each position in turn the size of the longest n-gram that it keeps, 1 if none; infinite where nothing is dropped.
 */
export function keptSizes({ sizes }: Pick<HashConfig, 'sizes'>, share: number, uniform: () => number): () => number {
  const ascending = [...sizes].sort((a, b) => a - b);
  return () =>
    uniform() < share ? (ascending[Math.floor(uniform() * ascending.length) - 1] ?? 1) : Number.POSITIVE_INFINITY;
}

/** Which n-grams are dropped, and where. */
export interface NgramDropout {
  readonly share: number;
  /** Decides, together with a row's number, what is dropped in it. */
  readonly key: string;
}

/**
 * Drops n-grams in the documents of a micro-batch; padding keeps its rows. What a row loses does not depend on the other rows, so that processes that
 * share a step drop what one would.
 * @param hashRows rows of the fused hash table [rows * length * tables], changed in place.
 */
export function dropNgrams(
  hashRows: Int32Array,
  rows: readonly Pick<PackedRow, 'ids' | 'documents' | 'number'>[],
  hash: HashConfig,
  { share, key }: NgramDropout,
): void {
  const tables = hashTables(hash);
  for (const [row, { ids, documents, number }] of rows.entries()) {
    const uniform = uniformOf(`n-gram dropout ${key} ${number}`);
    for (const { start, end } of documents) {
      const first = row * ids.length;
      dropInDocument(hashRows.subarray((first + start) * tables, (first + end) * tables), hash, share, uniform);
    }
  }
}

/** Replaces the rows of dropped n-grams by random rows of the same tables. @param hashRows [positions * tables], changed in place. */
function dropInDocument(hashRows: Int32Array, hash: HashConfig, share: number, uniform: () => number): void {
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
