/** @module Reads a store of pieces: one file of bytes and one of offsets a side, read by position. */
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import type { Refusal } from './refusal.js';

export interface SplitCounts {
  readonly pieces: number;
  readonly bytes: number;
}

/** data.json: what the store was made of. */
export interface StoreManifest {
  readonly files: readonly {
    readonly path: string;
    readonly size_bytes: number;
    readonly sha256: string;
    /** Those that were there before are not counted. */
    readonly documents: number;
    readonly bytes: number;
  }[];
  /** What was left out, the first 10,000. */
  readonly refused: readonly Refusal[];
  readonly refused_count: number;
  /** Documents that were there before, and left out. */
  readonly duplicates: number;
  /** The files that they stand in, and how many in each. */
  readonly duplicate_files: readonly { readonly path: string; readonly documents: number }[];
  readonly train: SplitCounts;
  readonly validation: SplitCounts;
  readonly seed: number;
  readonly piece_bytes: number;
  readonly validation_fraction: number;
  readonly text_key: string;
}

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

/** @throws ByteifyError when the file ends before. */
async function readFully(file: FileHandle, path: string, target: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) {
      throw new ByteifyError(`${path} is shorter than it was.`, { hint: 'Remove the data folder and run again.' });
    }
    done += bytesRead;
  }
}

async function readEnds(path: string): Promise<Float64Array> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const ends = new Float64Array(Math.floor(size / Float64Array.BYTES_PER_ELEMENT));
    await readFully(file, path, new Uint8Array(ends.buffer), 0);
    return ends;
  } finally {
    await file.close();
  }
}

/** @throws ByteifyError when the file of ends is cut short; an error of the system when one cannot be read. */
export async function openSplit(files: SplitFiles): Promise<OpenSplit> {
  const ends = await readEnds(files.ends);
  const path = files.bytes;
  const file = await open(path, 'r');
  const begin = (piece: number) => (piece === 0 ? 0 : ends[piece - 1]!);
  return {
    files,
    count: ends.length,
    byteCount: ends.at(-1) ?? 0,
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
  const { size } = await stat(files.bytes);
  const split = await openSplit(files);
  if (split.count === counts.pieces && split.byteCount === counts.bytes && size === counts.bytes) return split;
  await split.close();
  throw new Error(`the files of ${name} do not fit ${MANIFEST_FILE}`);
}

/** @throws ByteifyError when the folder is not a whole store. */
export async function openStore(folder: string): Promise<ByteStore> {
  const opened: OpenSplit[] = [];
  const close = async () => {
    for (const split of opened) await split.close();
  };
  try {
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')) as StoreManifest;
    const train = await openSide(folder, 'train', manifest.train);
    opened.push(train);
    const validation = await openSide(folder, 'validation', manifest.validation);
    opened.push(validation);
    return { manifest, train, validation, close };
  } catch (cause) {
    await close();
    throw new ByteifyError(`${folder} is not a whole store of text.`, {
      hint: 'Remove it and run again with --data.',
      cause,
    });
  }
}
