/** @module Writes a text store document by document; writes can be rolled back to any mark. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type AppendFile, createAppendFile } from '../fs/index.js';
import { createDigestSet } from './digest-set.js';
import { completeChunks } from './document-chunks.js';
import type { DomainFiles } from './domains.js';
import { bytesFile, endsFile, type SplitCounts, type SplitName } from './store.js';
import { uniformDraw } from './uniform-draw.js';

/** A position in the store's files, to roll back to. */
export interface Mark {
  readonly lengths: readonly number[];
  readonly documents: number;
}

/** The counts of both splits. */
export type Counts = Readonly<Record<SplitName, SplitCounts>>;

export interface StoreWriter {
  /** The documents that follow belong to this domain. */
  beginDomain(domain: Pick<DomainFiles, 'kind' | 'chunkBytes'>): void;
  /** Writes the next bytes of the current document; text must be cut between characters. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the current document. @returns false if it is a duplicate; it is then rolled back. */
  endDocument(): Promise<boolean>;
  /** Rolls the current document back. */
  dropDocument(): void;
  mark(): Mark;
  rollBack(mark: Mark): void;
  /** What was written so far. */
  counts(): Counts;
  close(): Promise<Counts>;
}

/** The files of one split: the bytes of its document chunks, and where each chunk ends. */
export interface SplitWriter {
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

export const writtenTo = ({ bytes, ends }: SplitWriter): SplitCounts => ({
  pieces: ends.length / END_BYTES,
  bytes: bytes.length,
});

export async function closeSplitWriter(writer: SplitWriter): Promise<SplitCounts> {
  try {
    return writtenTo(writer);
  } finally {
    await Promise.all([writer.bytes.close(), writer.ends.close()]);
  }
}

export async function createStoreWriter(options: {
  folder: string;
  validationFraction: number;
  seed: number;
}): Promise<StoreWriter> {
  const { folder, validationFraction, seed } = options;
  const train = await createSplitWriter(folder, 'train');
  const validation = await createSplitWriter(folder, 'validation');
  const files = [train, validation].flatMap(({ bytes, ends }) => [bytes, ends]);
  const documents = createDigestSet();
  const mark = (): Mark => ({ lengths: files.map(({ length }) => length), documents: documents.size });
  const put = (chunk: Uint8Array) =>
    appendChunk(uniformDraw(seed, chunk) < validationFraction ? validation : train, chunk);

  let domain: Pick<DomainFiles, 'kind' | 'chunkBytes'> | null = null;
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
    dropDocument: () => rollBack(begin),
    counts: () => ({ train: writtenTo(train), validation: writtenTo(validation) }),
    beginDomain(next) {
      domain = next;
    },
    async write(bytes) {
      digest.update(bytes);
      const unwritten = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const chunks = completeChunks(unwritten, domain!.chunkBytes, domain!.kind);
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
