/** @module Rows as the source reads them, patch by patch. No TensorFlow. */
import { BYTE_OFFSET, EOS } from '../blt/index.js';
import type { ByteRow } from './byte-batch.js';
import { type SourceChunks, sourceChunks } from './chunks.js';
import type { CutRows } from './cut-rows.js';
import type { SourceReader } from './source-reader.js';

/** The source's reading of a document of a row. */
export interface DocumentReading extends SourceChunks {
  /** Position of its BOS in the row. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** The source's reading of a row: its documents side by side, as the row has them. */
export interface RowReading {
  readonly documents: readonly DocumentReading[];
  readonly tokenCount: number;
}

/**
 * Reads rows as the source does, patch by patch.
 * @param cut the patches of these rows.
 * @param late whether the patch that ends at a position of the batch [rows * length] holds its successor's first byte.
 */
export function readRows(
  rows: readonly ByteRow[],
  { patchLengths, batch: { length } }: CutRows,
  { tokensOf, special }: SourceReader,
  late: (position: number) => boolean,
): RowReading[] {
  return rows.map((byteRow, row) => {
    const { ids } = byteRow;
    const documents = byteRow.documents.map(({ start, end }, i): DocumentReading => {
      const last = ids[end - 1] === EOS ? end - 1 : end;
      const bytes = Uint8Array.from(ids.subarray(start + 1, last), (id) => id - BYTE_OFFSET);
      const lateHere = (position: number) => late(row * length + start + position);
      const starts = startsOf(patchLengths[row]![i]!);
      const document = { bytes, count: end - start, starts, late: lateHere };
      return { ...sourceChunks(document, tokensOf, special), start, bytes };
    });
    return { documents, tokenCount: documents.reduce((sum, { tokens }) => sum + tokens.length, 0) };
  });
}

/** Starts from canonical lengths. */
function startsOf(lengths: Int32Array): Int32Array {
  const starts = new Int32Array(lengths.length);
  for (let i = 1; i < lengths.length; i++) starts[i] = starts[i - 1]! + lengths[i - 1]!;
  return starts;
}
