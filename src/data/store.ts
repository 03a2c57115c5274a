/** @module Reads a store of pieces: one file of bytes, two of offsets, read by position. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import type { Refusal } from './documents.js';

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
    readonly documents: number;
    readonly bytes: number;
  }[];
  readonly refused: readonly Refusal[];
  readonly duplicates: number;
  readonly train: SplitCounts;
  readonly validation: SplitCounts;
  readonly seed: number;
}

/** Pieces of one side. */
export interface Split {
  readonly count: number;
  readonly byteCount: number;
  byteLength(piece: number): number;
  read(piece: number): Promise<Uint8Array>;
}

export interface ByteStore {
  readonly manifest: StoreManifest;
  readonly train: Split;
  readonly validation: Split;
  close(): Promise<void>;
}

export const SPLITS = ['train', 'validation'] as const;
export type SplitName = (typeof SPLITS)[number];
export const MANIFEST_FILE = 'data.json';
export const bytesFile = (split: SplitName) => `${split}.bin`;
/** Ends of the pieces as 8-byte little-endian floats: exact to 2^53, and a typed array as they lie. */
export const endsFile = (split: SplitName) => `${split}.ends`;

async function openSplit(folder: string, name: SplitName): Promise<Split & { close(): Promise<void> }> {
  const raw = await readFile(join(folder, endsFile(name)));
  const ends = new Float64Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
  const path = join(folder, bytesFile(name));
  const file = await open(path, 'r');
  const begin = (piece: number) => (piece === 0 ? 0 : ends[piece - 1]!);
  return {
    count: ends.length,
    byteCount: ends.at(-1) ?? 0,
    byteLength: (piece) => ends[piece]! - begin(piece),
    async read(piece) {
      const bytes = new Uint8Array(ends[piece]! - begin(piece));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, begin(piece));
      if (bytesRead !== bytes.length)
        throw new ByteifyError(`${path} is shorter than its index.`, { hint: 'Remove the data folder and run again.' });
      return bytes;
    },
    close: () => file.close(),
  };
}

/** @throws ByteifyError when the folder is not a store. */
export async function openStore(folder: string): Promise<ByteStore> {
  let manifest: StoreManifest;
  try {
    manifest = JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')) as StoreManifest;
  } catch (cause) {
    throw new ByteifyError(`${folder} is not a store of text.`, {
      hint: 'Remove it and run again with --data.',
      cause,
    });
  }
  const [train, validation] = [await openSplit(folder, 'train'), await openSplit(folder, 'validation')];
  return {
    manifest,
    train,
    validation,
    async close() {
      await train.close();
      await validation.close();
    },
  };
}
