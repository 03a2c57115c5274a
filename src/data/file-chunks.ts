/** @module The contents of a file as they stream by, decompressed where its name says so. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import * as zlib from 'node:zlib';
import { Unusable } from './refusal.js';
import { createZstdFrames } from './zstd-frames.js';

const CHUNK_BYTES = 2 ** 20;

/** zlib has zstd from Node 22.15 and 23.8 on. */
const zstd = (zlib as { createZstdDecompress?: () => NodeJS.ReadWriteStream }).createZstdDecompress;

const DECOMPRESSORS: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  '.gz': () => zlib.createGunzip(),
  '.zst': () => {
    if (zstd === undefined) throw new Unusable('it is zstd, which needs Node 22.15 or newer; decompress it first');
    return zstd();
  },
};

/** A file's name in lower case without what says how it is compressed, and that: `a.jsonl.gz` is `a.jsonl` and `.gz`. */
export function withoutCompression(name: string): { name: string; compression: string | null } {
  const lower = name.toLowerCase();
  const compression = Object.keys(DECOMPRESSORS).find((suffix) => lower.endsWith(suffix)) ?? null;
  return { name: compression === null ? lower : lower.slice(0, -compression.length), compression };
}

async function* storedChunks(path: string, onStored: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  // Opening a pipe would wait for a writer that may never come.
  if (!(await stat(path)).isFile()) throw new Unusable('it is no regular file');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>) {
    onStored(chunk);
    yield chunk;
  }
}

/** The same chunks. @throws Unusable at the end of a zstd file that breaks off. */
async function* wholeZstd(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = createZstdFrames();
  for await (const chunk of stored) {
    frames.push(chunk);
    yield chunk;
  }
  if (!frames.whole()) throw new Unusable('it is no whole archive (unexpected end of file)');
}

/**
 * @param onStored sees the bytes as they lie on disk, so that they need not be read again for their digest.
 * @throws Unusable, or what the file system and zlib throw.
 */
export async function* fileChunks(path: string, onStored: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  const { compression } = withoutCompression(path);
  const stored = storedChunks(path, onStored);
  if (compression === null) return yield* stored;
  const stream = DECOMPRESSORS[compression]!();
  // Errors of either come out of the iteration below.
  pipeline(compression === '.zst' ? wholeZstd(stored) : stored, stream, () => undefined);
  yield* stream as unknown as AsyncIterable<Uint8Array>;
}
