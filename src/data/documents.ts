/**
 * @module Reads the documents of a file: a text file is one document, JSON has one per record; either can be compressed with gzip or zstd. Parquet
 * has one per row. A file of any bytes is one document as it is.
 */
import { messageOf } from '../errors.js';
import { danglingLink } from '../system-errors.js';
import { type ChunkReader, openChunks } from './chunk-reader.js';
import { documentForm } from './document-form.js';
import { fileChunks, storedChunks } from './file-chunks.js';
import type { DocumentsOptions, Found } from './found.js';
import { jsonValues, MAX_VALUE_BYTES } from './json-values.js';
import { linesOf } from './lines.js';
import { isParquet, parquetDocuments } from './parquet.js';
import { isShard, shardDocuments } from './prepared/read-shard.js';
import { type RecordText, recordText } from './record-text.js';
import { BrokenFile, Unusable } from './refusal.js';
import { validUtf8, withoutByteOrderMark } from './utf8.js';

const END = { bytes: new Uint8Array(), ends: true } as const;

async function* textDocument(contents: ChunkReader): AsyncGenerator<Found> {
  let empty = true;
  for await (const bytes of validUtf8(contents)) {
    if (bytes.includes(0)) throw new Unusable('it is binary (it contains a zero byte)');
    empty = false;
    yield { bytes, ends: false };
  }
  if (empty) throw new Unusable('it is empty');
  yield END;
}

/** The document of the record on a line, or the refusal of that line. */
function foundOf(record: RecordText, line: number, path: string): Found {
  if ('text' in record) return { bytes: new TextEncoder().encode(record.text), ends: true };
  return { refused: { path, line, reason: record.reason } };
}

const isBlank = (line: Uint8Array): boolean => line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);

/** The documents of JSON lines. @throws Unusable if there are none */
export async function* lineDocuments(
  contents: AsyncIterable<Uint8Array>,
  options: Pick<DocumentsOptions, 'path' | 'textKey'>,
): AsyncGenerator<Found> {
  let number = 0;
  let empty = true;
  for await (const line of linesOf(contents, MAX_VALUE_BYTES)) {
    number++;
    if (line !== null && isBlank(line)) continue;
    empty = false;
    if (line === null)
      yield { refused: { path: options.path, line: number, reason: 'the line is longer than 256 MiB' } };
    else yield foundOf(recordText(line, options.textKey), number, options.path);
  }
  if (empty) throw new Unusable('it is empty');
}

async function* valueDocuments(contents: ChunkReader, options: DocumentsOptions): AsyncGenerator<Found> {
  let empty = true;
  for await (const { bytes, line } of jsonValues(contents)) {
    empty = false;
    const record = recordText(bytes, options.textKey);
    // In damaged JSON the ends of later values are unreliable.
    if ('damaged' in record) throw new Unusable(record.reason, line + record.damaged.line);
    yield foundOf(record, line, options.path);
  }
  if (empty) throw new Unusable('it is a JSON array without elements');
}

/** zlib reports a truncated gzip file as missing bytes (Z_BUF_ERROR); its other errors, and zstd's, mean damage. */
function archiveReason(code: string, error: unknown): string | null {
  if (code === 'Z_BUF_ERROR') return 'its gzip data is truncated';
  if (/^Z_/.test(code)) return `its gzip data is damaged (${messageOf(error)})`;
  if (code === 'ZSTD_error_dictionary_wrong') return 'it was compressed with a zstd dictionary; decompress it first';
  return /^ZSTD_/.test(code) ? `its zstd data is damaged (${messageOf(error)})` : null;
}

/** Explains an error of the file system, of zlib or of a check of the file; null for any other error. */
function reasonOf(error: unknown): string | null {
  if (error instanceof Unusable) return error.message;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const dangling = code === 'ENOENT' ? danglingLink((error as NodeJS.ErrnoException).path ?? '') : null;
  if (dangling !== null) return `it is a link to ${dangling.target}, which does not exist`;
  if (code === 'ENOENT') return 'it was removed while byteify was running';
  if (code === 'EACCES' || code === 'EPERM') return `permission to read it was denied (${code})`;
  return archiveReason(code, error) ?? (/^E[A-Z]+$/.test(code) ? `it cannot be read (${code})` : null);
}

async function* byteDocument(options: DocumentsOptions): AsyncGenerator<Found> {
  let empty = true;
  for await (const bytes of storedChunks(options.path, options)) {
    empty = false;
    yield { bytes, ends: false };
  }
  if (empty) throw new Unusable('it is empty');
  yield END;
}

async function* textDocuments(options: DocumentsOptions): AsyncGenerator<Found> {
  const { path } = options;
  if (await isParquet(path)) return yield* parquetDocuments(options);
  const contents = openChunks(withoutByteOrderMark(fileChunks(path, options)));
  try {
    const form = await documentForm(path, contents);
    if (form === 'text') yield* textDocument(contents);
    else yield* form === 'lines' ? lineDocuments(contents, options) : valueDocuments(contents, options);
  } finally {
    await contents.close();
  }
}

function foundIn(options: DocumentsOptions): AsyncGenerator<Found> {
  if (isShard(options.path)) return shardDocuments(options);
  return options.kind === 'bytes' ? byteDocument(options) : textDocuments(options);
}

/**
 * Streams the documents of a file, or of a shard whose record is named. A record that cannot be used is yielded as a refusal and does not stop the others.
 * @throws BrokenFile if the whole file is unusable, even if that only shows at its end (a truncated archive): the caller must then drop the
 * documents that came before, since half a file is not what the user passed. The signal's reason.
 */
export async function* documentsOf(options: DocumentsOptions): AsyncGenerator<Found> {
  const { path } = options;
  try {
    yield* foundIn(options);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === null) throw error;
    const line = error instanceof Unusable ? error.line : undefined;
    throw new BrokenFile({ path, ...(line !== undefined && { line }), reason });
  }
}
