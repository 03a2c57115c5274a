/** @module Writes a text store document by document; writes can be rolled back to any mark. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type AppendFile, createAppendFile } from '../fs/index.js';
import { createDigestSet } from './digest-set.js';
import { completeChunks } from './document-chunks.js';
import { bytesFile, endsFile, type SplitCounts, type SplitName } from './store.js';
import { uniformDraw } from './uniform-draw.js';

/** A position in the store's files, to roll back to. */
export interface Mark {
  readonly lengths: readonly number[];
  readonly documents: number;
}

export interface StoreWriter {
  /** Writes the next bytes of the current document, which must be cut between characters. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the current document. @returns false if it is a duplicate; it is then rolled back. */
  endDocument(): Promise<boolean>;
  mark(): Mark;
  rollBack(mark: Mark): void;
  close(): Promise<Readonly<Record<SplitName, SplitCounts>>>;
}

/** The files of one split: the bytes of its document chunks, and where each chunk ends. */
interface SplitWriter {
  readonly bytes: AppendFile;
  readonly ends: AppendFile;
}

export const END_BYTES = Float64Array.BYTES_PER_ELEMENT;

export async function createSplitWriter(folder: string, name: SplitName): Promise<SplitWriter> {
  return {
    bytes: await createAppendFile(join(folder, bytesFile(name))),
    ends: await createAppendFile(join(folder, endsFile(name))),
  };
}

export async function appendChunk({ bytes, ends }: SplitWriter, chunk: Uint8Array): Promise<void> {
  await bytes.append(chunk);
  await ends.append(new Uint8Array(Float64Array.of(bytes.length).buffer));
}

export async function closeSplitWriter({ bytes, ends }: SplitWriter): Promise<SplitCounts> {
  try {
    return { pieces: ends.length / END_BYTES, bytes: bytes.length };
  } finally {
    await Promise.all([bytes.close(), ends.close()]);
  }
}

export async function createStoreWriter(options: {
  folder: string;
  chunkBytes: number;
  validationFraction: number;
  seed: number;
}): Promise<StoreWriter> {
  const { folder, chunkBytes, validationFraction, seed } = options;
  const train = await createSplitWriter(folder, 'train');
  const validation = await createSplitWriter(folder, 'validation');
  const files = [train, validation].flatMap(({ bytes, ends }) => [bytes, ends]);
  const documents = createDigestSet();
  const mark = (): Mark => ({ lengths: files.map(({ length }) => length), documents: documents.size });
  const put = (chunk: Uint8Array) =>
    appendChunk(uniformDraw(seed, chunk) < validationFraction ? validation : train, chunk);

  // State of the current document.
  let digest = createHash('sha256');
  let rest: Uint8Array = new Uint8Array();
  let begin = mark();
  const beginDocument = () => {
    digest = createHash('sha256');
    rest = new Uint8Array();
    begin = mark();
  };
  const rollBack = (to: Mark) => {
    files.forEach((file, i) => {
      file.truncate(to.lengths[i]!);
    });
    documents.truncate(to.documents);
    beginDocument();
  };
  return {
    mark,
    rollBack,
    async write(bytes) {
      digest.update(bytes);
      const chunks = completeChunks(rest.length === 0 ? bytes : Buffer.concat([rest, bytes]), chunkBytes);
      let next = chunks.next();
      for (; !next.done; next = chunks.next()) await put(next.value);
      rest = next.value;
    },
    async endDocument() {
      const isNew = documents.add(digest.digest());
      if (!isNew) {
        rollBack(begin);
        return false;
      }
      if (rest.length > 0) await put(rest);
      beginDocument();
      return true;
    },
    async close() {
      const [ofTrain, ofValidation] = await Promise.all([closeSplitWriter(train), closeSplitWriter(validation)]);
      return { train: ofTrain, validation: ofValidation };
    },
  };
}
