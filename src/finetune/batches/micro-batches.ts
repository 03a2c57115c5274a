/** @module Splits the rows of a step into micro-batches of equal size. */
import type { PackedRow } from '../../data/index.js';

/** A row that consists of padding. */
function blankRow(length: number): PackedRow {
  const zeros = () => new Int32Array(length);
  return { ids: zeros(), targets: zeros(), weights: new Float32Array(length), documents: [], byteCount: 0, number: -1 };
}

/** Rows in order, `size` per micro-batch and as many micro-batches for each process. What rows do not fill is padding. */
export function microBatchesOf(rows: readonly PackedRow[], size: number, processes = 1): PackedRow[][] {
  const blank = blankRow(rows[0]!.ids.length);
  const count = Math.ceil(rows.length / (size * processes)) * processes;
  return Array.from({ length: count }, (_, i) => Array.from({ length: size }, (_, j) => rows[i * size + j] ?? blank));
}

/** Which of several processes a batch source works for. */
export interface Share {
  /** Of the process, from 0. */
  readonly rank: number;
  readonly size: number;
}

/** Of a process that trains alone. */
export const WHOLE: Share = { rank: 0, size: 1 };

/** A process's part of one entry per micro-batch: they are dealt in equal runs. */
export function shareOf<T>(micros: readonly T[], { rank, size }: Share): readonly T[] {
  const each = micros.length / size;
  return micros.slice(rank * each, (rank + 1) * each);
}
