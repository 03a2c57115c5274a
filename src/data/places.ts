/** @module Where the bytes of document chunks are that were not copied into a store: in the shards of prepared folders. */
import type { FileHandle } from 'node:fs/promises';
import { ByteifyError } from '../errors.js';
import { readFully } from '../fs/index.js';
import { openToRead } from './split-ends.js';

/** The source of chunks whose bytes are in the split's own file. */
export const OWN_BYTES = 0;

export interface ChunkPlace {
  /** `OWN_BYTES`, or the number of a file in the store's list of sources, counted from 1. */
  readonly source: number;
  /** In bytes, from the beginning of the file. */
  readonly offset: number;
}

/** The places of a split's chunks. */
export interface Places {
  readonly count: number;
  of(chunk: number): ChunkPlace;
}

const VALUES = 2;

/** Reads places: two 8-byte little-endian floats each, source and offset. @throws ByteifyError if the file is missing or damaged */
export async function readPlaces(path: string, sourceCount: number, hint: string): Promise<Places> {
  const file = await openToRead(path, hint);
  try {
    const { size } = await file.stat();
    const values = new Float64Array(Math.floor(size / Float64Array.BYTES_PER_ELEMENT));
    await readFully(file, new Uint8Array(values.buffer), 0, path, hint);
    const isSound = values.every((value, i) =>
      i % VALUES === 0 ? Number.isInteger(value) && value >= 0 && value <= sourceCount : Number.isSafeInteger(value),
    );
    if (!isSound || size % (VALUES * Float64Array.BYTES_PER_ELEMENT) !== 0)
      throw new ByteifyError(`${path} is damaged: it does not say where document chunks are.`, { hint });
    return {
      count: values.length / VALUES,
      of: (chunk) => ({ source: values[chunk * VALUES]!, offset: values[chunk * VALUES + 1]! }),
    };
  } finally {
    await file.close();
  }
}

/** Enough for the order of an epoch, which is random, to find most of a large set of files open; systems allow at least 256. */
const OPEN_FILES = 128;

/** Files that are opened when they are read, the most recently used of which stay open. */
export interface SourceFiles {
  read(source: number, offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface OpenSource {
  readonly file: Promise<FileHandle>;
  readers: number;
}

/** @param paths of the sources; @param hint what to do if one cannot be read */
export function openSources(paths: readonly string[], hint: string): SourceFiles {
  const open = new Map<number, OpenSource>();
  const use = (source: number): OpenSource => {
    const found = open.get(source) ?? { file: openToRead(paths[source - 1]!, hint), readers: 0 };
    // The order of a map is that of insertion, so that the first is the least recently used.
    open.delete(source);
    open.set(source, found);
    return found;
  };
  const closeOldest = async () => {
    const idle = [...open].find(([, { readers }]) => readers === 0);
    if (open.size <= OPEN_FILES || idle === undefined) return;
    open.delete(idle[0]);
    await (await idle[1].file).close();
  };
  return {
    async read(source, offset, length) {
      const found = use(source);
      found.readers++;
      try {
        const file = await found.file.catch((error: unknown) => {
          open.delete(source);
          throw error;
        });
        const bytes = new Uint8Array(length);
        await readFully(file, bytes, offset, paths[source - 1]!, hint);
        return bytes;
      } finally {
        found.readers--;
        await closeOldest();
      }
    },
    async close() {
      const all = [...open.values()];
      open.clear();
      for (const { file } of all) await (await file).close();
    },
  };
}
