/** @module Packed rows as the source reads them, patch by patch. No TensorFlow. */
import { BYTE_OFFSET, EOS } from '../blt/index.js';
import type { ByteRow } from './byte-batch.js';
import { type SourceChunks, sourceChunks } from './chunks.js';
import type { CutRows } from './cut-rows.js';
import type { SourceReader } from './source-reader.js';

/** One document of a row as the source reads it. */
export interface DocumentReading extends SourceChunks {
  /** The position of its BOS in the row. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** A row as the source reads it: its documents in order. */
export interface RowReading {
  readonly documents: readonly DocumentReading[];
  /** Number of tokens in all documents. */
  readonly tokenCount: number;
}

/**
 * Tokenises rows patch by patch, as the source reads them.
 * @param cut the patches of these rows
 * @param late whether the cut after a position of the batch [rows * length] is late
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

/** Patch starts from canonical patch lengths. */
function startsOf(lengths: Int32Array): Int32Array {
  const starts = new Int32Array(lengths.length);
  for (let i = 1; i < lengths.length; i++) starts[i] = starts[i - 1]! + lengths[i - 1]!;
  return starts;
}
