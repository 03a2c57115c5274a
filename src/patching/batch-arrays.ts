/** @module The arrays of a micro-batch, with the same names and shapes in every step: what a traced step takes. No TensorFlow. */
import { decodeBytes, EOS } from '../blt/index.js';
import type { SourceTokenizer } from '../tokenizer/index.js';
import { type ByteRow, byteBatch, type PatchedBatch } from './batch.js';
// Not by its index: this runs in a thread that must not load TensorFlow.
import { tokenEnds } from './token-ends.js';

/** A row to learn from; a packed row is one. */
export interface LearningRow extends ByteRow {
  /** What each position should predict; 0 where it should predict nothing. */
  readonly targets: Int32Array;
  /** 1 where the target counts, else 0. */
  readonly weights: Float32Array;
}

export interface BatchArray {
  readonly values: Int32Array | Float32Array;
  readonly shape: readonly number[];
}

export type BatchArrays = Readonly<Record<string, BatchArray>>;

/** Targets and their weights of rows side by side, [rows * length]. */
function targetArrays(rows: readonly LearningRow[]): BatchArrays {
  const length = rows[0]!.ids.length;
  const targets = new Int32Array(rows.length * length);
  const weights = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    targets.set(row.targets, i * length);
    weights.set(row.weights, i * length);
  });
  return { targets: flat(targets), weights: flat(weights) };
}

/** A list as an array of a batch. */
export const flat = (values: Int32Array | Float32Array): BatchArray => ({ values, shape: [values.length] });

/** Documents are always told, also of rows that are one: a trace has one form. */
function documentsOf(documents: Int32Array | null, rows: number, length: number): BatchArray {
  return { values: documents ?? new Int32Array(rows * length), shape: [rows, length] };
}

/** What the patcher reads to cut rows. */
export function patcherArrays(rows: readonly ByteRow[]): BatchArrays {
  const { ids, documents, length } = byteBatch(rows);
  return { ids: flat(ids), documents: documentsOf(documents, rows.length, length) };
}

/** What a byte language model reads to learn. */
export function byteArrays(rows: readonly LearningRow[]): BatchArrays {
  return { ...patcherArrays(rows), ...targetArrays(rows) };
}

/**
 * Where the source's tokens end, of each position [rows * length]: 1 at a byte that ends one. Weights are 1 where that is known: not at BOS,
 * EOS and padding, and not at what a row's end may have cut off.
 */
export function tokenEndArrays(rows: readonly LearningRow[], tokenizer: SourceTokenizer): BatchArrays {
  const length = rows[0]!.ids.length;
  const ends = new Float32Array(rows.length * length);
  const weights = new Float32Array(rows.length * length);
  rows.forEach(({ ids, targets, chunks }, row) => {
    for (const { start, end } of chunks) {
      const hasEnd = ids[end - 1] === EOS;
      const of = tokenEnds(
        decodeBytes(ids.subarray(start + 1, hasEnd ? end - 1 : end)),
        !hasEnd && targets[end - 1] !== EOS,
        tokenizer,
      );
      ends.set(of.ends, row * length + start + 1);
      weights.set(of.known, row * length + start + 1);
    }
  });
  return { tokenEnds: flat(ends), tokenEndWeights: flat(weights) };
}

/** What a BLT reads of rows that are cut into patches. */
export function bltArrays(rows: readonly LearningRow[], batch: PatchedBatch): BatchArrays {
  return {
    ids: flat(batch.ids),
    documents: documentsOf(batch.documents, rows.length, batch.length),
    hashRows: flat(batch.hashRows),
    encoderPatch: flat(batch.encoderPatch),
    decoderPatch: flat(batch.decoderPatch),
    patchDocuments: documentsOf(batch.patchDocuments, rows.length, batch.patches),
    ...targetArrays(rows),
  };
}
