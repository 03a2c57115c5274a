/** @module Batches of byte rows: the input of a patcher, and the targets of a byte-level language model. Host code, without TensorFlow. */
import { encodeBytes } from '../blt/index.js';
import type { PackedRow } from '../data/index.js';
import type { Arrays, BatchWith, ByteFields, LearningFields } from './batch.js';

/** A row of ids with the ranges of its documents; positions outside all documents are padding. Every packed row is one. */
export type ByteRow = Pick<PackedRow, 'ids' | 'documents'>;

/** A row that consists of one whole text. */
export function wholeRow(ids: Int32Array): ByteRow {
  return { ids, documents: [{ start: 0, end: ids.length }] };
}

/** Stacks rows of equal length; `documents` is null if each row is one document without padding. */
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

/** BOS and a text as a batch of one row of bytes + 1 positions: byte i is at position i + 1. */
export function textBatch(text: Uint8Array): BatchWith<Arrays, keyof ByteFields<Arrays>> {
  return byteBatch([wholeRow(encodeBytes(text))]);
}

/** The same batch with arrays instead of null documents: the inputs of a traced function must not depend on the contents of the rows. */
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

/** Stacks the targets and weights of rows of equal length. */
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
