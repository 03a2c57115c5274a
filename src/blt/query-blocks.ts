/** @module Splits the queries of self-attention into blocks, for the model's computation and for the plan's estimates. */

/** Maximum queries per block. Smaller blocks skip more of the keys that a query cannot see; larger ones make larger products. */
const MAX_BLOCK = 256;

/** Queries [from, to) and the keys [firstKey, to) that any of them can see. */
export interface QueryBlock {
  readonly from: number;
  readonly to: number;
  readonly firstKey: number;
}

/**
 * Splits a sequence into blocks of equal size, except that the last may be shorter.
 * @param length number of queries
 * @param window number of keys that a query sees, including its own; null for all up to its own
 * @param before number of keys before the first query; their indices are negative
 */
export function queryBlocks(length: number, window: number | null, before = 0): QueryBlock[] {
  const size = Math.ceil(length / Math.ceil(length / MAX_BLOCK));
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => {
    const from = i * size;
    const firstKey = window === null ? -before : Math.max(-before, from - window + 1);
    return { from, to: Math.min(length, from + size), firstKey };
  });
}
