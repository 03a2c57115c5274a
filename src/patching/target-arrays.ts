/** @module What the source says about a batch of rows, as arrays of fixed shapes: a step's targets. No TensorFlow. */
import { BYTE_OFFSET, EOS } from '../blt/index.js';
import type { PatchedBatch } from './batch.js';
import { type BatchArrays, flat } from './batch-arrays.js';
import { type SourceChunks, sourceChunks } from './chunks.js';
import type { SourceReader } from './source-reader.js';

/** The part of a packed row that is read. */
export interface SourceRow {
  readonly ids: Int32Array;
  readonly chunks: readonly { readonly start: number; readonly end: number }[];
}

/** A document of a row with its place in it. */
export interface RowDocument extends SourceChunks {
  /** Position of its BOS. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** The source's reading of a row: its documents side by side, as the row has them. */
export interface RowReading {
  readonly documents: readonly RowDocument[];
  readonly tokenCount: number;
}

/**
 * Reads rows as the source does, patch by patch.
 * @param late whether the patch that ends at a position of the batch [rows * length] holds its successor's first byte.
 */
export function readRows(
  rows: readonly SourceRow[],
  { patchLengths, length }: Pick<PatchedBatch, 'patchLengths' | 'length'>,
  { tokensOf, special }: SourceReader,
  late: (position: number) => boolean,
): RowReading[] {
  return rows.map(({ ids, chunks }, row) => {
    const documents = chunks.map(({ start, end }, i): RowDocument => {
      const last = ids[end - 1] === EOS ? end - 1 : end;
      const bytes = Uint8Array.from(ids.subarray(start + 1, last), (id) => id - BYTE_OFFSET);
      const lateHere = (position: number) => late(row * length + start + position);
      const starts = startsOf(patchLengths[row]![i]!);
      const cut = { bytes, count: end - start, starts, late: lateHere };
      return { ...sourceChunks(cut, tokensOf, special), start, bytes };
    });
    return { documents, tokenCount: documents.reduce((sum, { tokens }) => sum + tokens.length, 0) };
  });
}

/** Starts from canonical lengths. */
function startsOf(lengths: Int32Array): Int32Array {
  const starts = new Int32Array(lengths.length);
  for (let i = 1; i < lengths.length; i++) starts[i] = starts[i - 1]! + lengths[i - 1]!;
  return starts;
}

export interface SourceShape {
  /** Positions of a row. */
  readonly length: number;
  /** Room for patches in a row. */
  readonly patches: number;
  /** Room for tokens in a row. */
  readonly tokens: number;
}

/** Every document's offset of tokens and patches in its row. */
function* placed({ documents }: RowReading): Generator<RowDocument & { token: number; patch: number; index: number }> {
  let [token, patch] = [0, 0];
  for (const [index, document] of documents.entries()) {
    yield { ...document, token, patch, index };
    token += document.tokens.length;
    patch += document.lastToken.length;
  }
}

/**
 * What the source is given: `sourceIds` ranks [rows * tokens] and `sourceDocuments` [rows, tokens], padding being a document of its own.
 */
export function sourceInputs(rows: readonly RowReading[], { tokens: room }: SourceShape): BatchArrays {
  const sourceIds = new Int32Array(rows.length * room);
  const sourceDocuments = new Int32Array(rows.length * room);
  rows.forEach((reading, row) => {
    sourceDocuments.fill(reading.documents.length, row * room, (row + 1) * room);
    for (const { tokens, token, index } of placed(reading)) {
      sourceIds.set(tokens, row * room + token);
      sourceDocuments.fill(index, row * room + token, row * room + token + tokens.length);
    }
  });
  return { sourceIds: flat(sourceIds), sourceDocuments: { values: sourceDocuments, shape: [rows.length, room] } };
}

/** Targets of the encoder: `patchToken` ranks [rows * patches] and `patchWeight`, 1 where a patch is one token. */
export function encoderTargets(rows: readonly RowReading[], { patches }: SourceShape): BatchArrays {
  const patchToken = new Int32Array(rows.length * patches);
  const patchWeight = new Float32Array(rows.length * patches);
  rows.forEach((reading, row) => {
    for (const { tokens, lastToken, tokenCount, lastIsOpen, patch } of placed(reading)) {
      const closed = lastIsOpen ? lastToken.length - 1 : lastToken.length;
      for (let i = 0; i < closed; i++) {
        if (tokenCount[i] !== 1) continue;
        patchToken[row * patches + patch + i] = tokens[lastToken[i]!]!;
        patchWeight[row * patches + patch + i] = 1;
      }
    }
  });
  return { patchToken: flat(patchToken), patchWeight: flat(patchWeight) };
}

/** Where each patch's state lies among the source's: `patchState` [rows * patches], in rows * tokens. */
export function patchStates(rows: readonly RowReading[], { patches, tokens }: SourceShape): BatchArrays {
  const patchState = new Int32Array(rows.length * patches);
  rows.forEach((reading, row) => {
    patchState.fill(row * tokens, row * patches, (row + 1) * patches);
    for (const { lastToken, token, patch } of placed(reading)) {
      lastToken.forEach((last, i) => {
        patchState[row * patches + patch + i] = row * tokens + token + last;
      });
    }
  });
  return { patchState: flat(patchState) };
}

const BOUNDS = 257;

/**
 * What the source expects at each position [rows * length]: `targetState`, the state that predicts the next byte; `targetBounds`
 * [rows * length, 257], the ranges of the vocabulary its values lie in; `targetWeight`, 0 where the next is no byte of the row; and the patch
 * in whose chunk that byte lies, `chunkOfByte` (rows * patches for none), with `chunkWeights` [rows * patches], 1 for a closed one of
 * several tokens.
 */
export function byteTargets(
  rows: readonly RowReading[],
  { length, patches, tokens: room }: SourceShape,
  { vocabulary }: SourceReader,
): BatchArrays {
  const count = rows.length * length;
  const none = rows.length * patches;
  const targetState = new Int32Array(count);
  const targetBounds = new Int32Array(count * BOUNDS);
  const targetWeight = new Float32Array(count);
  const chunkOfByte = new Int32Array(count).fill(none);
  const chunkWeights = new Float32Array(none);
  rows.forEach((reading, row) => {
    for (const document of placed(reading)) {
      const { bytes, tokenOfByte, offsetInToken, patchOfByte, tokenCount, lastIsOpen, start, token, patch } = document;
      const closed = lastIsOpen ? tokenCount.length - 1 : tokenCount.length;
      for (let i = 0; i < closed; i++) if (tokenCount[i]! > 1) chunkWeights[row * patches + patch + i] = 1;
      for (let byte = 0; byte < bytes.length; byte++) {
        const at = row * length + start + byte;
        const prefix = bytes.subarray(byte - offsetInToken[byte]!, byte);
        targetState[at] = row * room + token + tokenOfByte[byte]! - 1;
        targetBounds.set(vocabulary.boundsOf(prefix), at * BOUNDS);
        targetWeight[at] = 1;
        const own = patchOfByte[byte]!;
        if (own < closed && tokenCount[own]! > 1) chunkOfByte[at] = row * patches + patch + own;
      }
    }
  });
  return {
    targetState: flat(targetState),
    targetBounds: { values: targetBounds, shape: [count, BOUNDS] },
    targetWeight: flat(targetWeight),
    chunkOfByte: flat(chunkOfByte),
    chunkWeights: flat(chunkWeights),
  };
}

/** What is asked of the source: its tokens for the encoder, its states for the decoder, its expectation of each byte. */
export type SourceTarget = 'encoder' | 'states' | 'bytes';

/** The arrays of every target that is asked for. */
export function sourceArrays(
  targets: readonly SourceTarget[],
  readings: readonly RowReading[],
  shape: SourceShape,
  reader: SourceReader,
): BatchArrays {
  const arrays: Record<SourceTarget, () => BatchArrays> = {
    encoder: () => encoderTargets(readings, shape),
    states: () => ({ ...sourceInputs(readings, shape), ...patchStates(readings, shape) }),
    bytes: () => ({ ...sourceInputs(readings, shape), ...byteTargets(readings, shape, reader) }),
  };
  return Object.assign({}, ...targets.map((target) => arrays[target]()));
}
