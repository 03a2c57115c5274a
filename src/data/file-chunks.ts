/** @module Streams a file's contents. Compression is detected from the contents, not from the name. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type ChunkReader, headOf, openChunks } from './chunk-reader.js';
import { foreignKind } from './foreign-kinds.js';
import { gunzip, isGzip } from './gunzip.js';
import { Unusable } from './refusal.js';
import { unzstd } from './unzstd.js';
import { isZstd } from './zstd-frames.js';

const CHUNK_BYTES = 2 ** 20;

interface Compression {
  readonly name: string;
  readonly suffixes: readonly string[];
  readonly begins: (head: Uint8Array) => boolean;
  readonly decompress: (stored: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>;
}

const COMPRESSIONS: readonly Compression[] = [
  { name: 'gzip', suffixes: ['.gz', '.gzip', '.bgz'], begins: isGzip, decompress: gunzip },
  { name: 'zstd', suffixes: ['.zst', '.zstd'], begins: isZstd, decompress: unzstd },
];

export interface FileChunksOptions {
  /** Called with the stored (compressed) bytes, so that the file need not be read again for its digest. */
  readonly onStored: (chunk: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

/** A file's name in lower case without its compression suffix: `A.jsonl.gz` gives `a.jsonl`. */
export function withoutCompression(name: string): string {
  const lower = name.toLowerCase();
  const suffix = COMPRESSIONS.flatMap(({ suffixes }) => suffixes).find((end) => lower.endsWith(end)) ?? '';
  return lower.slice(0, lower.length - suffix.length);
}

/** Streams a file's contents as they are. @throws the errors of the file system; the signal's reason */
export async function* storedChunks(path: string, { onStored, signal }: FileChunksOptions): AsyncGenerator<Uint8Array> {
  // Opening a pipe would wait for a writer that may never come.
  if (!(await stat(path)).isFile()) throw new Unusable('it is not a regular file');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>) {
    signal?.throwIfAborted();
    onStored(chunk);
    yield chunk;
  }
}

/** @throws Unusable if the contents are of a foreign type, or binary under a name that claims compression. */
function refuseForeign(head: Uint8Array, path: string): void {
  const foreign = foreignKind(head);
  if (foreign !== null) throw new Unusable(foreign);
  const named = COMPRESSIONS.find(({ suffixes }) => suffixes.some((end) => path.toLowerCase().endsWith(end)));
  if (named !== undefined && head.includes(0))
    throw new Unusable(`it is named like ${named.name} but does not contain ${named.name} data`);
}

async function* contents(stored: ChunkReader, path: string): AsyncGenerator<Uint8Array> {
  const head = await stored.peek(headOf);
  const compression = COMPRESSIONS.find(({ begins }) => begins(head));
  if (compression === undefined) {
    refuseForeign(head, path);
    return yield* stored;
  }
  const inner = openChunks(compression.decompress(stored));
  try {
    const foreign = foreignKind(await inner.peek(headOf));
    if (foreign !== null) throw new Unusable(`inside the ${compression.name} compression, ${foreign}`);
    yield* inner;
  } finally {
    await inner.close();
  }
}

/**
 * Streams the decompressed contents of a file.
 * @throws Unusable if the file cannot contain text; the errors of the file system and of zlib; the signal's reason.
 */
export async function* fileChunks(path: string, options: FileChunksOptions): AsyncGenerator<Uint8Array> {
  const stored = openChunks(storedChunks(path, options));
  try {
    for await (const chunk of contents(stored, path)) {
      options.signal?.throwIfAborted(); // a small archive can expand to a huge text
      yield chunk;
    }
  } finally {
    await stored.close();
  }
}
