/** @module Writes a text store document by document; writes can be rolled back to any mark. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type AppendFile, createAppendFile } from '../fs/index.js';
import { createDigestSet } from './digest-set.js';
import { completeChunks } from './document-chunks.js';
import type { DomainFiles } from './domains.js';
import type { Place } from './found.js';
import { type ChunkPlace, OWN_BYTES } from './places.js';
import { bytesFile, endsFile, placesFile, type SplitCounts, type SplitName } from './store.js';
import { uniformDraw } from './uniform-draw.js';

/** A position in the store's files, to roll back to. */
export interface Mark {
  readonly lengths: readonly number[];
  /** Bytes of each split that stay where they are. */
  readonly placed: readonly number[];
  readonly documents: number;
}

/** The counts of both splits. */
export type Counts = Readonly<Record<SplitName, SplitCounts>>;

export interface StoreWriter {
  /** The documents that follow belong to this domain. */
  beginDomain(domain: Pick<DomainFiles, 'kind' | 'chunkBytes'>): void;
  /**
   * Writes the next bytes of the current document; text must be cut between characters.
   * @param place where they are on disk, if they may stay there: only for a document that is written at once
   */
  write(bytes: Uint8Array, place?: Place): Promise<void>;
  /** Ends the current document. @returns false if it is a duplicate; it is then rolled back. */
  endDocument(): Promise<boolean>;
  /** Rolls the current document back. */
  dropDocument(): void;
  mark(): Mark;
  rollBack(mark: Mark): void;
  /** What was written so far. */
  counts(): Counts;
  /** The files in which bytes stay, in the order of their numbers. */
  sources(): readonly string[];
  close(): Promise<Counts>;
}

/** The files of one split: the bytes of its document chunks unless they stay elsewhere, where each chunk ends, and where it is. */
export interface SplitWriter {
  readonly bytes: AppendFile;
  readonly ends: AppendFile;
  readonly places: AppendFile;
  /** Bytes that stay elsewhere. */
  placed: number;
}

export const END_BYTES = Float64Array.BYTES_PER_ELEMENT;

export async function createSplitWriter(folder: string, name: SplitName): Promise<SplitWriter> {
  return {
    bytes: await createAppendFile(join(folder, bytesFile(name))),
    ends: await createAppendFile(join(folder, endsFile(name))),
    places: await createAppendFile(join(folder, placesFile(name))),
    placed: 0,
  };
}

const asBytes = (...values: readonly number[]) => new Uint8Array(Float64Array.from(values).buffer);

/** Appends a chunk. @param place of its bytes in a source; without one they are copied */
export async function appendChunk(writer: SplitWriter, chunk: Uint8Array, place: ChunkPlace | null): Promise<void> {
  const { bytes, ends, places } = writer;
  const { source, offset } = place ?? { source: OWN_BYTES, offset: bytes.length };
  if (place === null) await bytes.append(chunk);
  else writer.placed += chunk.length;
  await ends.append(asBytes(bytes.length + writer.placed));
  await places.append(asBytes(source, offset));
}

export const writtenTo = ({ bytes, ends, placed }: SplitWriter): SplitCounts => ({
  pieces: ends.length / END_BYTES,
  bytes: bytes.length + placed,
});

export async function closeSplitWriter(writer: SplitWriter): Promise<SplitCounts> {
  try {
    return writtenTo(writer);
  } finally {
    await Promise.all([writer.bytes.close(), writer.ends.close(), writer.places.close()]);
  }
}

/** The number of a source, counted from 1; a new one gets the next. */
function numberOf(path: string, sources: Map<string, number>): number {
  const number = sources.get(path) ?? sources.size + 1;
  sources.set(path, number);
  return number;
}

export async function createStoreWriter({
  folder,
  validationFraction,
  seed,
}: {
  folder: string;
  validationFraction: number;
  seed: number;
}): Promise<StoreWriter> {
  const train = await createSplitWriter(folder, 'train');
  const validation = await createSplitWriter(folder, 'validation');
  const splits = [train, validation];
  const files = splits.flatMap(({ bytes, ends, places }) => [bytes, ends, places]);
  const documents = createDigestSet();
  const sources = new Map<string, number>();
  const mark = (): Mark => ({
    lengths: files.map(({ length }) => length),
    placed: splits.map(({ placed }) => placed),
    documents: documents.size,
  });

  let domain: Pick<DomainFiles, 'kind' | 'chunkBytes'> | null = null;
  // State of the current document.
  let digest = createHash('sha256');
  let rest: Uint8Array = new Uint8Array();
  let unread: ChunkPlace | null = null;
  let begin = mark();
  const put = async (chunk: Uint8Array) => {
    await appendChunk(uniformDraw(seed, chunk) < validationFraction ? validation : train, chunk, unread);
    if (unread !== null) unread = { ...unread, offset: unread.offset + chunk.length };
  };
  const beginDocument = () => {
    digest = createHash('sha256');
    rest = new Uint8Array();
    unread = null;
    begin = mark();
  };
  const rollBack = (to: Mark) => {
    for (const [i, file] of files.entries()) file.truncate(to.lengths[i]!);
    for (const [i, split] of splits.entries()) split.placed = to.placed[i]!;
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
    async write(bytes, place) {
      if (place !== undefined) unread = { source: numberOf(place.path, sources), offset: place.offset };
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
    sources: () => [...sources.keys()],
    async close() {
      const [ofTrain, ofValidation] = await Promise.all([closeSplitWriter(train), closeSplitWriter(validation)]);
      return { train: ofTrain, validation: ofValidation };
    },
  };
}
