/** @module Rows of bytes side by side: what a patcher reads, and what a language model of bytes learns. Pure bookkeeping on the host. */
import { encodeBytes } from '../blt/index.js';
import type { PackedRow } from '../data/index.js';
import type { Arrays, BatchWith, ByteFields, LearningFields } from './batch.js';

/** A row of ids and where its documents lie; positions outside all documents are padding. A packed row is one. */
export type ByteRow = Pick<PackedRow, 'ids' | 'documents'>;

/** One row that is one whole text. */
export function wholeRow(ids: Int32Array): ByteRow {
  return { ids, documents: [{ start: 0, end: ids.length }] };
}

/** Rows of one length, side by side; `documents` is null where each row is one document without padding. */
export function byteBatch(rows: readonly ByteRow[]): BatchWith<Arrays, keyof ByteFields<Arrays>> {
  const length = rows[0]!.ids.length;
  const ids = new Int32Array(rows.length * length);
  const documents = new Int32Array(rows.length * length);
  let isPlain = true;
  rows.forEach((row, i) => {
    ids.set(row.ids, i * length);
    documents.fill(row.documents.length, i * length, (i + 1) * length);
    row.documents.forEach(({ start, end }, document) => {
      documents.fill(document, i * length + start, i * length + end);
    });
    isPlain &&= row.documents.length === 1 && row.documents[0]!.end === length;
  });
  return { rows: rows.length, length, patches: 0, tokens: 0, ids, documents: isPlain ? null : documents };
}

/** A text after its BOS as a batch of one row, [bytes + 1] positions: position i + 1 holds byte i. */
export function textBatch(text: Uint8Array): BatchWith<Arrays, keyof ByteFields<Arrays>> {
  return byteBatch([wholeRow(encodeBytes(text))]);
}

/** The same batch with arrays for documents that are null, as a trace needs it: its inputs must not depend on what the rows hold. */
export function withDocuments<B extends BatchWith<Arrays, 'documents'>>(
  batch: B,
): B & { readonly documents: Int32Array } {
  const { rows, length, patches, documents, patchDocuments } = batch;
  return {
    ...batch,
    documents: documents ?? new Int32Array(rows * length),
    ...(patchDocuments === null && { patchDocuments: new Int32Array(rows * patches) }),
  };
}

/** Targets and weights of rows of one length, side by side. */
export function learningFields(rows: readonly Pick<PackedRow, 'targets' | 'weights'>[]): LearningFields<Arrays> {
  const length = rows[0]!.targets.length;
  const targets = new Int32Array(rows.length * length);
  const weights = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    targets.set(row.targets, i * length);
    weights.set(row.weights, i * length);
  });
  return { targets, weights };
}
