/** @module The rows of a step in micro-batches of one size. */
import type { PackedRow } from '../../data/index.js';

/** A row of padding alone: it fills the last micro-batch. */
function blankRow(length: number): PackedRow {
  const zeros = () => new Int32Array(length);
  return { ids: zeros(), targets: zeros(), weights: new Float32Array(length), documents: [], byteCount: 0, number: -1 };
}

/** Rows in order, `size` at a time; the last micro-batch is filled up with rows of padding. */
export function microBatchesOf(rows: readonly PackedRow[], size: number): PackedRow[][] {
  const blank = blankRow(rows[0]!.ids.length);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
    Array.from({ length: size }, (_, j) => rows[i * size + j] ?? blank),
  );
}
