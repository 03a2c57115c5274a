/** @module Reads a store of pieces: one file of bytes and one of offsets a side, read by position. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ByteifyError } from '../errors.js';
import { readJson, readJsonIfThere, type WrittenFile } from '../fs/index.js';
import { systemFailure } from '../system-errors.js';

const count = z.int().nonnegative();
const splitCounts = z.object({ pieces: count, bytes: count });

/** data.json: what the store was made of. */
const manifestSchema = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      size_bytes: count,
      sha256: z.string(),
      /** Those that were there before are not counted. */
      documents: count,
      bytes: count,
    }),
  ),
  /** What was left out, the first 10,000. */
  refused: z.array(z.object({ path: z.string(), line: count.optional(), reason: z.string() })),
  refused_count: count,
  /** Documents that were there before, and left out. */
  duplicates: count,
  /** The files that they stand in, and how many in each. */
  duplicate_files: z.array(z.object({ path: z.string(), documents: count })),
  train: splitCounts,
  validation: splitCounts,
  seed: z.number(),
  piece_bytes: count,
  validation_fraction: z.number(),
  text_key: z.string(),
});

export type SplitCounts = Readonly<z.output<typeof splitCounts>>;
export type StoreManifest = Readonly<z.output<typeof manifestSchema>>;

/** Pieces of one side. */
export interface Split {
  readonly count: number;
  readonly byteCount: number;
  byteLength(piece: number): number;
  read(piece: number): Promise<Uint8Array>;
}

/** Paths of a side's two files. */
export interface SplitFiles {
  readonly bytes: string;
  readonly ends: string;
}

/** A side that lies on disk: another thread can open it as well. */
export interface StoredSplit extends Split {
  readonly files: SplitFiles;
}

type OpenSplit = StoredSplit & { close(): Promise<void> };

export interface ByteStore {
  readonly manifest: StoreManifest;
  readonly train: StoredSplit;
  readonly validation: StoredSplit;
  close(): Promise<void>;
}

export type SplitName = 'train' | 'validation';
export const MANIFEST_FILE = 'data.json';
export const bytesFile = (split: SplitName) => `${split}.bin`;
/** Ends of the pieces as 8-byte little-endian floats: exact to 2^53, and a typed array as they lie. */
export const endsFile = (split: SplitName) => `${split}.ends`;

const HINT = 'Remove the data folder and run again with --data.';

const MANIFEST: WrittenFile<typeof manifestSchema> = {
  schema: manifestSchema,
  what: 'the record of a store of text',
  hint: HINT,
};

/**
 * What the store in a folder was made of; null when there is none.
 * @throws ByteifyError when its record is there and cannot be used
 */
export async function readStoreManifest(folder: string): Promise<StoreManifest | null> {
  return readJsonIfThere(join(folder, MANIFEST_FILE), MANIFEST);
}

/** @throws ByteifyError when the file ends before. */
async function readFully(file: FileHandle, path: string, target: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new ByteifyError(`${path} is shorter than it was.`, { hint: HINT });
    done += bytesRead;
  }
}

async function openToRead(path: string): Promise<FileHandle> {
  return open(path, 'r').catch((cause: unknown) => {
    const failure = systemFailure(cause, path);
    throw failure === null ? cause : new ByteifyError(failure.message, { hint: HINT, cause });
  });
}

/** Ends grow from piece to piece, by whole bytes: what else a file holds would be read as lengths of pieces. */
function checkEnds(path: string, ends: Float64Array): void {
  let before = 0;
  for (const [piece, end] of ends.entries()) {
    if (!Number.isSafeInteger(end) || end <= before) {
      throw new ByteifyError(`${path} is damaged: piece ${piece} would end at ${end}, after ${before}.`, {
        hint: HINT,
      });
    }
    before = end;
  }
}

async function readEnds(path: string): Promise<Float64Array> {
  const file = await openToRead(path);
  try {
    const { size } = await file.stat();
    if (size % Float64Array.BYTES_PER_ELEMENT !== 0) {
      throw new ByteifyError(`${path} is cut short: ${size} bytes are no whole numbers.`, { hint: HINT });
    }
    const ends = new Float64Array(size / Float64Array.BYTES_PER_ELEMENT);
    await readFully(file, path, new Uint8Array(ends.buffer), 0);
    checkEnds(path, ends);
    return ends;
  } finally {
    await file.close();
  }
}

/** @throws ByteifyError when a file is missing, damaged or cut short. */
export async function openSplit(files: SplitFiles): Promise<OpenSplit> {
  const ends = await readEnds(files.ends);
  const path = files.bytes;
  const byteCount = ends.at(-1) ?? 0;
  const file = await openToRead(path);
  const { size } = await file.stat();
  if (size !== byteCount) {
    await file.close();
    throw new ByteifyError(`${path} has ${size} bytes, not the ${byteCount} of ${files.ends}.`, { hint: HINT });
  }
  const begin = (piece: number) => (piece === 0 ? 0 : ends[piece - 1]!);
  return {
    files,
    count: ends.length,
    byteCount,
    byteLength: (piece) => ends[piece]! - begin(piece),
    async read(piece) {
      const bytes = new Uint8Array(ends[piece]! - begin(piece));
      await readFully(file, path, bytes, begin(piece));
      return bytes;
    },
    close: () => file.close(),
  };
}

async function openSide(folder: string, name: SplitName, counts: SplitCounts): Promise<OpenSplit> {
  const files = { bytes: join(folder, bytesFile(name)), ends: join(folder, endsFile(name)) };
  const split = await openSplit(files);
  if (split.count === counts.pieces && split.byteCount === counts.bytes) return split;
  await split.close();
  throw new ByteifyError(`${files.bytes} and ${files.ends} do not fit ${join(folder, MANIFEST_FILE)}.`, { hint: HINT });
}

/** @throws ByteifyError naming what of the store is missing, damaged or does not fit. */
export async function openStore(folder: string): Promise<ByteStore> {
  const manifest = await readJson(join(folder, MANIFEST_FILE), MANIFEST);
  const train = await openSide(folder, 'train', manifest.train);
  const validation = await openSide(folder, 'validation', manifest.validation).catch(async (error: unknown) => {
    await train.close();
    throw error;
  });
  const close = async () => {
    for (const split of [train, validation]) await split.close();
  };
  return { manifest, train, validation, close };
}
