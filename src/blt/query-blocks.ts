/** @module How self-attention cuts a sequence into blocks of queries: what the model computes with and the plan counts. */

/** Queries of one block. Smaller blocks skip more of what a query cannot see; larger ones make larger products. */
const LARGEST_BLOCK = 256;

/** Queries [from, to) and the keys [firstKey, to) that any of them may see. */
export interface QueryBlock {
  readonly from: number;
  readonly to: number;
  readonly firstKey: number;
}

/**
 * Blocks of one size, the last a little shorter.
 * @param window keys a query sees, itself included; null is all before it. @param before keys that precede the first query: they are counted back
 * from 0.
 */
export function queryBlocks(length: number, window: number | null, before = 0): QueryBlock[] {
  const size = Math.ceil(length / Math.ceil(length / LARGEST_BLOCK));
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => {
    const from = i * size;
    const firstKey = window === null ? -before : Math.max(-before, from - window + 1);
    return { from, to: Math.min(length, from + size), firstKey };
  });
}
