/** @module The contents of a file as they stream by, decompressed where they are compressed, whatever the file is called. */
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
  /** Sees the bytes as they lie on disk, so that they need not be read again for their digest. */
  readonly onStored: (chunk: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

/** A file's name in lower case without what says how it is compressed: of `A.jsonl.gz`, `a.jsonl`. */
export function withoutCompression(name: string): string {
  const lower = name.toLowerCase();
  const suffix = COMPRESSIONS.flatMap(({ suffixes }) => suffixes).find((end) => lower.endsWith(end)) ?? '';
  return lower.slice(0, lower.length - suffix.length);
}

async function* storedChunks(path: string, { onStored, signal }: FileChunksOptions): AsyncGenerator<Uint8Array> {
  // Opening a pipe would wait for a writer that may never come.
  if (!(await stat(path)).isFile()) throw new Unusable('it is not a regular file');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>) {
    signal?.throwIfAborted();
    onStored(chunk);
    yield chunk;
  }
}

/** @throws Unusable for a file that begins as what its name does not say and no text does. */
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

/** @throws Unusable, what the file system and zlib throw, or the signal's reason. */
export async function* fileChunks(path: string, options: FileChunksOptions): AsyncGenerator<Uint8Array> {
  const stored = openChunks(storedChunks(path, options));
  try {
    for await (const chunk of contents(stored, path)) {
      options.signal?.throwIfAborted(); // a small archive can hold very much
      yield chunk;
    }
  } finally {
    await stored.close();
  }
}
