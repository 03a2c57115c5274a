/** @module Splits the rows of a step into micro-batches of equal size. */
import type { PackedRow } from '../../data/index.js';

/** A row that consists of padding. */
function blankRow(length: number): PackedRow {
  const zeros = () => new Int32Array(length);
  return { ids: zeros(), targets: zeros(), weights: new Float32Array(length), documents: [], byteCount: 0, number: -1 };
}

/** Rows in order, `size` per micro-batch. The last micro-batch is filled up with padding. */
export function microBatchesOf(rows: readonly PackedRow[], size: number): PackedRow[][] {
  const blank = blankRow(rows[0]!.ids.length);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
    Array.from({ length: size }, (_, j) => rows[i * size + j] ?? blank),
  );
}
