/** @module Reads the documents of a Parquet file: one per row, from one column, row group by row group. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { FileMetaData } from 'hyparquet';
import { messageOf } from '../errors.js';
import type { DocumentsOptions, Found } from './found.js';
import { BrokenFile, Unusable } from './refusal.js';

const MAGIC = 'PAR1';

/** Whether a file begins as Parquet does. @throws the errors of the file system */
export async function isParquet(path: string): Promise<boolean> {
  if (!(await stat(path)).isFile()) return false;
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === MAGIC.length && buffer.toString('latin1') === MAGIC;
  } finally {
    await file.close();
  }
}

/** How many columns are named if the file lacks the expected one. */
const SHOWN_COLUMNS = 8;

/** @throws Unusable if the file has no such column at its top level */
function requireColumn({ schema: [root, ...elements] }: FileMetaData, column: string): void {
  const names: string[] = [];
  for (let at = 0; names.length < (root?.num_children ?? 0); ) {
    names.push(elements[at]!.name);
    // The schema is a tree in depth-first order.
    for (let pending = 1; pending > 0; at++) pending += (elements[at]!.num_children ?? 0) - 1;
  }
  if (names.includes(column)) return;
  const more = names.length > SHOWN_COLUMNS ? ', …' : '';
  throw new Unusable(`it has no column "${column}" (it has ${names.slice(0, SHOWN_COLUMNS).join(', ')}${more})`);
}

/** The document in a cell, or why there is none. */
function cellDocument(value: unknown, column: string): Uint8Array | string {
  if (!(value instanceof Uint8Array)) {
    const kind = value === null || value === undefined ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
    return `the value of "${column}" is ${kind}, not a string`;
  }
  if (value.length === 0) return `the text under "${column}" is empty`;
  return isUtf8(value) ? value : `the text under "${column}" is not valid UTF-8`;
}

/** The values of the column, row group by row group: one row group's are in memory. */
async function* columnValues({ path, textKey }: DocumentsOptions): AsyncGenerator<readonly unknown[]> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetRead } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  requireColumn(metadata, textKey);
  let rowStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows);
    let rows: readonly unknown[][] = [];
    await parquetRead({
      ...{ file, metadata, columns: [textKey], rowStart, rowEnd, compressors },
      utf8: false,
      // The bytes as they are: a decoder would silently replace invalid ones.
      parsers: { stringFromBytes: (bytes) => bytes },
      onComplete(complete) {
        rows = complete;
      },
    });
    yield rows.map(([value]) => value);
    rowStart = rowEnd;
  }
}

/**
 * Streams the documents of a Parquet file. Rows without text are yielded as refusals, with their number, counted from 1, as the line.
 * @throws Unusable if the file is damaged or has no such column; the errors of the file system; the signal's reason
 */
export async function* parquetDocuments(options: DocumentsOptions): AsyncGenerator<Found> {
  const { path, textKey, onStored, signal } = options;
  let row = 0;
  try {
    for await (const values of columnValues(options)) {
      for (const value of values) {
        signal?.throwIfAborted();
        row++;
        const found = cellDocument(value, textKey);
        if (typeof found === 'string') yield { refused: { path, line: row, reason: found } };
        else yield { bytes: found, ends: true };
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    const isKnown = error instanceof Unusable || error instanceof BrokenFile || (error as { code?: string }).code;
    throw isKnown ? error : new Unusable(`its Parquet data cannot be read (${messageOf(error)})`);
  }
  if (row === 0) throw new Unusable('it is a Parquet file without rows');
  // Rows are not read in the order of the file, so that its digest needs another pass.
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    signal?.throwIfAborted();
    onStored(chunk as Uint8Array);
  }
}
