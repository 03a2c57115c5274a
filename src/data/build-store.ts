/** @module Makes a store: every document is read once, streaming, checked, deduplicated, cut into pieces and put on one side. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeFolderAtomic } from '../conversion/index.js';
import { ByteifyError } from '../errors.js';
import { BrokenFile, documentsOf, type Refusal } from './documents.js';
import { findFiles } from './find-files.js';
import { piecesOf } from './pieces.js';
import { bytesFile, endsFile, MANIFEST_FILE, type SplitName, type StoreManifest } from './store.js';

export interface BuildStoreOptions {
  readonly paths: readonly string[];
  readonly out: string;
  /** Longer documents are cut. */
  readonly pieceBytes: number;
  /** Share of the pieces that is held out, between 0 and 1. */
  readonly validationFraction: number;
  readonly seed: number;
  /** Where a jsonl line holds its text. */
  readonly textKey: string;
  readonly onProgress?: (event: { path: string; bytes: number }) => void;
  readonly signal?: AbortSignal;
}

/** One side while it is written. Ends are kept in memory: 8 bytes a piece. */
interface Side {
  readonly file: FileHandle;
  readonly ends: number[];
}

/** A uniform number in [0, 1) that depends on the seed and the bytes alone: the order of files does not move a piece. */
function lotOf(seed: number, piece: Uint8Array): number {
  return createHash('sha256').update(`${seed}/`).update(piece).digest().readUInt32LE(0) / 2 ** 32;
}

async function append(side: Side, piece: Uint8Array): Promise<void> {
  await side.file.write(piece, 0, piece.length, side.ends.at(-1) ?? 0);
  side.ends.push((side.ends.at(-1) ?? 0) + piece.length);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

/** The documents of one file, all or none. */
async function readFileDocuments(
  path: string,
  textKey: string,
  take: (text: Uint8Array) => Promise<void>,
): Promise<{ refused: Refusal[]; broken: boolean }> {
  const refused: Refusal[] = [];
  try {
    for await (const found of documentsOf(path, textKey)) {
      if ('text' in found) await take(found.text);
      else refused.push(found.refused);
    }
    return { refused, broken: false };
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    return { refused: [...refused, error.refusal], broken: true };
  }
}

/**
 * Writes `out` atomically.
 * @returns what was read and what was refused.
 * @throws ByteifyError when nothing can be used, or too little to hold some out.
 */
export async function buildStore(options: BuildStoreOptions): Promise<StoreManifest> {
  const { paths, out, pieceBytes, validationFraction, seed, textKey, onProgress, signal } = options;
  const found = await findFiles(paths);
  return writeFolderAtomic(out, async (folder) => {
    const side = async (name: SplitName): Promise<Side> => ({
      file: await open(join(folder, bytesFile(name)), 'w'),
      ends: [],
    });
    const sides = { train: await side('train'), validation: await side('validation') };
    const files: StoreManifest['files'][number][] = [];
    const refused: Refusal[] = [];
    const seen = new Set<string>();
    let duplicates = 0;
    try {
      for (const path of found) {
        signal?.throwIfAborted();
        const before = { train: sides.train.ends.length, validation: sides.validation.ends.length };
        const added: string[] = [];
        let [documents, bytes] = [0, 0];
        const result = await readFileDocuments(path, textKey, async (text) => {
          signal?.throwIfAborted();
          const digest = createHash('sha256').update(text).digest('base64');
          if (seen.has(digest)) {
            duplicates++;
            return;
          }
          seen.add(digest);
          added.push(digest);
          for (const piece of piecesOf(text, pieceBytes)) {
            await append(lotOf(seed, piece) < validationFraction ? sides.validation : sides.train, piece);
          }
          documents++;
          bytes += text.length;
          onProgress?.({ path, bytes });
        });
        refused.push(...result.refused);
        if (result.broken) {
          sides.train.ends.length = before.train;
          sides.validation.ends.length = before.validation;
          for (const digest of added) seen.delete(digest);
        } else if (documents > 0) {
          files.push({ path, size_bytes: (await stat(path)).size, sha256: await sha256Of(path), documents, bytes });
        }
      }
      refuseTooLittle(sides, refused, found.length);
      return await finish(folder, sides, { files, refused, duplicates, seed });
    } finally {
      await sides.train.file.close();
      await sides.validation.file.close();
    }
  });
}

async function finish(
  folder: string,
  sides: Readonly<Record<SplitName, Side>>,
  facts: Pick<StoreManifest, 'files' | 'refused' | 'duplicates' | 'seed'>,
): Promise<StoreManifest> {
  const counts = ({ ends }: Side) => ({ pieces: ends.length, bytes: ends.at(-1) ?? 0 });
  const manifest = { ...facts, train: counts(sides.train), validation: counts(sides.validation) };
  for (const [name, { ends, file }] of Object.entries(sides) as [SplitName, Side][]) {
    await file.truncate(ends.at(-1) ?? 0); // a broken file may have left bytes behind
    await writeFile(join(folder, endsFile(name)), new Uint8Array(Float64Array.from(ends).buffer));
  }
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function refuseTooLittle(
  { train, validation }: Readonly<Record<SplitName, Side>>,
  refused: readonly Refusal[],
  files: number,
): void {
  if (train.ends.length + validation.ends.length === 0) {
    const first = refused[0];
    const why =
      first === undefined
        ? 'the folders hold no files'
        : `${first.path}${first.line === undefined ? '' : `:${first.line}`}: ${first.reason}`;
    throw new ByteifyError(`None of the ${files} files of --data can be used (${why}).`, {
      hint: 'Give text, jsonl, .gz or .zst files.',
    });
  }
  if (train.ends.length === 0 || validation.ends.length === 0) {
    throw new ByteifyError('There is too little text to train on some and hold some out.', {
      hint: 'Give more text, or lower data.piece_bytes so that it makes more pieces.',
    });
  }
}
