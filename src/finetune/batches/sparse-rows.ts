/** @module The sparse row indices of the hash tables: gradients, moments and updates are computed only for the rows that a step reads. */

export interface SparseRows {
  /** The distinct rows in the order of first use, padded with `spare` to the largest possible number. */
  readonly indices: Int32Array;
  /** How many of them are not padding. */
  readonly count: number;
}

export interface IndexedLists extends SparseRows {
  /** For each input list, the position in `indices` of each of its entries. */
  readonly positions: readonly Int32Array[];
}

/** 2^32 divided by the golden ratio. The high bits of its products spread neighbouring rows (Fibonacci hashing; Knuth, volume 3, section 6.4). */
const HASH_MULTIPLIER = 0x9e3779b1;

/**
 * Collects the distinct rows of the table that a step reads.
 * @param lists the rows that each micro-batch reads, each in [0, spare).
 * @param spare the index after the last row, used for padding. Nothing reads that row.
 */
export function sparseRows(lists: readonly Int32Array[], spare: number): IndexedLists {
  // A large step may have more lookups than the table has rows.
  const capacity = Math.min(
    spare,
    lists.reduce((sum, list) => sum + list.length, 0),
  );
  const indices = new Int32Array(capacity).fill(spare);
  // Open addressing, at most half full: a slot holds a position in `indices`, plus one. A Map is ten times slower.
  const bits = Math.ceil(Math.log2(2 * capacity + 1));
  const [shift, mask] = [32 - bits, 2 ** bits - 1];
  const slots = new Int32Array(2 ** bits);
  let count = 0;
  const positions = lists.map((list) => {
    const found = new Int32Array(list.length);
    for (let i = 0; i < list.length; i++) {
      const row = list[i]!;
      let slot = Math.imul(row, HASH_MULTIPLIER) >>> shift;
      while (slots[slot] !== 0 && indices[slots[slot]! - 1] !== row) slot = (slot + 1) & mask;
      if (slots[slot] === 0) {
        indices[count] = row;
        slots[slot] = ++count;
      }
      found[i] = slots[slot]! - 1;
    }
    return found;
  });
  return { indices, count, positions };
}
