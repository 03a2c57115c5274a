/** @module Which rows of the hash tables a step reads: gradients, moments and updates are for those alone. */

export interface TouchedRows {
  /** Distinct rows in the order they are first read, filled up to `capacity` with `spare`. */
  readonly rows: Int32Array;
  /** How many are real. */
  readonly count: number;
  /** For each list that was given: the place in `rows` of each of its entries. */
  readonly places: readonly Int32Array[];
}

/**
 * @param lists rows of the table, as several micro-batches read them; each entry in [0, spare).
 * @param spare a row that nothing reads: padding is written there.
 */
export function touchedRows(lists: readonly Int32Array[], spare: number): TouchedRows {
  const capacity = lists.reduce((sum, list) => sum + list.length, 0);
  const rows = new Int32Array(capacity).fill(spare);
  const known = new Map<number, number>();
  const places = lists.map((list) =>
    list.map((row) => {
      const place = known.get(row);
      if (place !== undefined) return place;
      rows[known.size] = row;
      known.set(row, known.size);
      return known.size - 1;
    }),
  );
  return { rows, count: known.size, places };
}
