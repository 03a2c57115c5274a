/** @module The batch fields that distillation adds: the source's inputs, and the targets it gives. No TensorFlow. */
import {
  type Arrays,
  type BatchSizes,
  BOUNDS,
  type ByteTargetFields,
  type PartialBatch,
  type PatchTokenFields,
  type SourceInputFields,
  type SourceStateFields,
} from './batch.js';
import type { DocumentReading, RowReading } from './row-reading.js';
import type { SourceReader } from './source-reader.js';

/** A document with its index in the row, and the indices of its first token and first patch in the row. */
interface PlacedDocument extends DocumentReading {
  readonly index: number;
  readonly token: number;
  readonly patch: number;
}

function* placed({ documents }: RowReading): Generator<PlacedDocument> {
  let [token, patch] = [0, 0];
  for (const [index, document] of documents.entries()) {
    yield { ...document, token, patch, index };
    token += document.tokens.length;
    patch += document.lastToken.length;
  }
}

/** The number of closed patches of a document, whose last patch may be open. */
const closedPatches = ({ lastToken, lastIsOpen }: DocumentReading) => lastToken.length - (lastIsOpen ? 1 : 0);

/** The tokens that the source reads. */
export function sourceInputs(rows: readonly RowReading[], { tokens: capacity }: BatchSizes): SourceInputFields<Arrays> {
  const sourceIds = new Int32Array(rows.length * capacity);
  const sourceDocuments = new Int32Array(rows.length * capacity);
  rows.forEach((reading, row) => {
    sourceDocuments.fill(reading.documents.length, row * capacity, (row + 1) * capacity);
    for (const { tokens, token, index } of placed(reading)) {
      sourceIds.set(tokens, row * capacity + token);
      sourceDocuments.fill(index, row * capacity + token, row * capacity + token + tokens.length);
    }
  });
  return { sourceIds, sourceDocuments };
}

/** The token of each closed patch that is exactly one token. */
export function patchTokens(rows: readonly RowReading[], { patches }: BatchSizes): PatchTokenFields<Arrays> {
  const patchToken = new Int32Array(rows.length * patches);
  const patchWeight = new Float32Array(rows.length * patches);
  rows.forEach((reading, row) => {
    for (const document of placed(reading)) {
      const { tokens, lastToken, tokenCount, patch } = document;
      for (let i = 0; i < closedPatches(document); i++) {
        if (tokenCount[i] !== 1) continue;
        patchToken[row * patches + patch + i] = tokens[lastToken[i]!]!;
        patchWeight[row * patches + patch + i] = 1;
      }
    }
  });
  return { patchToken, patchWeight };
}

/** The index of each patch's state among the source's states. */
export function patchStates(
  rows: readonly RowReading[],
  { patches, tokens }: BatchSizes,
): Pick<SourceStateFields<Arrays>, 'patchState'> {
  const patchState = new Int32Array(rows.length * patches);
  rows.forEach((reading, row) => {
    patchState.fill(row * tokens, row * patches, (row + 1) * patches);
    for (const { lastToken, token, patch } of placed(reading)) {
      lastToken.forEach((last, i) => {
        patchState[row * patches + patch + i] = row * tokens + token + last;
      });
    }
  });
  return { patchState };
}

/** How the source predicts the byte after each position. */
export function byteTargets(
  rows: readonly RowReading[],
  { length, patches, tokens }: BatchSizes,
  { vocabulary }: SourceReader,
): ByteTargetFields<Arrays> {
  const count = rows.length * length;
  const none = rows.length * patches;
  const targetState = new Int32Array(count);
  const targetBounds = new Int32Array(count * BOUNDS);
  const targetWeight = new Float32Array(count);
  const chunkOfByte = new Int32Array(count).fill(none);
  const chunkWeights = new Float32Array(none);
  rows.forEach((reading, row) => {
    for (const document of placed(reading)) {
      const { bytes, tokenOfByte, offsetInToken, patchOfByte, tokenCount, start, token, patch } = document;
      const closed = closedPatches(document);
      for (let i = 0; i < closed; i++) if (tokenCount[i]! > 1) chunkWeights[row * patches + patch + i] = 1;
      for (let byte = 0; byte < bytes.length; byte++) {
        const at = row * length + start + byte;
        const prefix = bytes.subarray(byte - offsetInToken[byte]!, byte);
        targetState[at] = row * tokens + token + tokenOfByte[byte]! - 1;
        targetBounds.set(vocabulary.boundsOf(prefix), at * BOUNDS);
        targetWeight[at] = 1;
        const own = patchOfByte[byte]!;
        if (own < closed && tokenCount[own]! > 1) chunkOfByte[at] = row * patches + patch + own;
      }
    }
  });
  return { targetState, targetBounds, targetWeight, chunkOfByte, chunkWeights };
}

/** What distillation needs from the source: tokens for the encoder, states for the decoder, or predictions of each byte. */
export type SourceTarget = 'encoder' | 'states' | 'bytes';

type SourceFields = Partial<
  SourceInputFields<Arrays> & SourceStateFields<Arrays> & PatchTokenFields<Arrays> & ByteTargetFields<Arrays>
>;

type FieldsOf = (readings: readonly RowReading[], sizes: BatchSizes, reader: SourceReader) => SourceFields;

const FIELDS_OF: Readonly<Record<SourceTarget, FieldsOf>> = {
  encoder: patchTokens,
  states: (readings, sizes) => ({ ...sourceInputs(readings, sizes), ...patchStates(readings, sizes) }),
  bytes: (readings, sizes, reader) => ({ ...sourceInputs(readings, sizes), ...byteTargets(readings, sizes, reader) }),
};

/** Adds the fields of the given targets to a batch, except `sourceStates`, which the model computes. */
export function withSource<B extends PartialBatch<Arrays>>(
  batch: B,
  targets: readonly SourceTarget[],
  readings: readonly RowReading[],
  reader: SourceReader,
): B & SourceFields {
  return Object.assign({ ...batch }, ...targets.map((target) => FIELDS_OF[target](readings, batch, reader)));
}
