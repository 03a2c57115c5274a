/** @module Which rows of the hash tables a step reads: gradients, moments and updates are for those alone. */

export interface SparseRows {
  /** Distinct rows in the order they are first read, filled up to as many as there can be with `spare`. */
  readonly indices: Int32Array;
  /** How many are real. */
  readonly count: number;
}

export interface IndexedLists extends SparseRows {
  /** For each list that was given: the position in `indices` of each of its entries. */
  readonly positions: readonly Int32Array[];
}

/** 2^32 over the golden ratio: its products' high bits spread rows that lie close together (Knuth, volume 3, 6.4). */
const SPREAD = 0x9e3779b1;

/**
 * @param lists rows of the table, as several micro-batches read them; each entry in [0, spare).
 * @param spare the row after the last, which nothing reads: padding is written there.
 */
export function sparseRows(lists: readonly Int32Array[], spare: number): IndexedLists {
  // A large step reads more bytes than the table has rows.
  const capacity = Math.min(
    spare,
    lists.reduce((sum, list) => sum + list.length, 0),
  );
  const indices = new Int32Array(capacity).fill(spare);
  // Open addressing, at most half full: a slot holds a position in `indices`, plus one. A Map of numbers is an order slower.
  const bits = Math.ceil(Math.log2(2 * capacity + 1));
  const [shift, mask] = [32 - bits, 2 ** bits - 1];
  const slots = new Int32Array(2 ** bits);
  let count = 0;
  const positions = lists.map((list) => {
    const found = new Int32Array(list.length);
    for (let i = 0; i < list.length; i++) {
      const row = list[i]!;
      let slot = Math.imul(row, SPREAD) >>> shift;
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
