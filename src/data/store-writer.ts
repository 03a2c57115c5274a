/** @module Writes the pieces of a store document by document; what was written can be taken back to any mark. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type AppendFile, createAppendFile } from '../fs/index.js';
import { createDigestSet } from './digest-set.js';
import { completePieces } from './document-chunks.js';
import { bytesFile, endsFile, type SplitCounts, type SplitName } from './store.js';
import { uniformDraw } from './uniform-draw.js';

/** How far a store was written. */
export interface Mark {
  readonly lengths: readonly number[];
  readonly documents: number;
}

export interface StoreWriter {
  /** The next bytes of the document, cut between characters. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the document. @returns false when the same one was there before; then it is taken back. */
  endDocument(): Promise<boolean>;
  mark(): Mark;
  rollBack(mark: Mark): void;
  close(): Promise<Readonly<Record<SplitName, SplitCounts>>>;
}

/** The pieces of one side: their bytes, and where each ends. */
interface Side {
  readonly bytes: AppendFile;
  readonly ends: AppendFile;
}

export const END_BYTES = Float64Array.BYTES_PER_ELEMENT;

export async function createSplitWriter(folder: string, name: SplitName): Promise<Side> {
  return {
    bytes: await createAppendFile(join(folder, bytesFile(name))),
    ends: await createAppendFile(join(folder, endsFile(name))),
  };
}

export async function appendPiece({ bytes, ends }: Side, piece: Uint8Array): Promise<void> {
  await bytes.append(piece);
  await ends.append(new Uint8Array(Float64Array.of(bytes.length).buffer));
}

export async function closeSplitWriter({ bytes, ends }: Side): Promise<SplitCounts> {
  try {
    return { pieces: ends.length / END_BYTES, bytes: bytes.length };
  } finally {
    await Promise.all([bytes.close(), ends.close()]);
  }
}

export async function createStoreWriter(options: {
  folder: string;
  pieceBytes: number;
  validationFraction: number;
  seed: number;
}): Promise<StoreWriter> {
  const { folder, pieceBytes, validationFraction, seed } = options;
  const train = await createSplitWriter(folder, 'train');
  const validation = await createSplitWriter(folder, 'validation');
  const files = [train, validation].flatMap(({ bytes, ends }) => [bytes, ends]);
  const documents = createDigestSet();
  const mark = (): Mark => ({ lengths: files.map(({ length }) => length), documents: documents.size });
  const put = (piece: Uint8Array) =>
    appendPiece(uniformDraw(seed, piece) < validationFraction ? validation : train, piece);

  // Of the document that is being written.
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
      const pieces = completePieces(rest.length === 0 ? bytes : Buffer.concat([rest, bytes]), pieceBytes);
      let next = pieces.next();
      for (; !next.done; next = pieces.next()) await put(next.value);
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
