/** @module Rows of bytes cut into patches by the patcher's entropies. Pure bookkeeping on the host (blt-format 1.7). */
import { type BltConfig, hashRows, hashTables, patchIds, patchStarts } from '../blt/index.js';
import type { Arrays, BatchWith, ByteFields, PatchFields } from './batch.js';
import { type ByteRow, byteBatch } from './byte-batch.js';
import { splitLongPatches } from './split-long-patches.js';

/** Fields that a BLT reads. */
export type CutBatch = BatchWith<Arrays, keyof ByteFields<Arrays> | keyof PatchFields<Arrays>>;

export interface CutRows {
  readonly batch: CutBatch;
  /** Patch lengths of each row's documents in the canonical form: those of a document sum to its length + 1. */
  readonly patchLengths: readonly (readonly Int32Array[])[];
}

/** The patches of one row, numbered from its beginning. */
interface RowPatches {
  /** Of each position: E(p) and D(p). */
  readonly encoder: Int32Array;
  readonly decoder: Int32Array;
  /** Of each document. */
  readonly lengths: Int32Array[];
  /** The document of each patch. */
  readonly patchDocuments: number[];
}

function cutRow({ ids, documents }: ByteRow, entropies: Float32Array, { patching }: BltConfig): RowPatches {
  const encoder = new Int32Array(ids.length);
  const decoder = new Int32Array(ids.length);
  const patchDocuments: number[] = [];
  const lengths = documents.map(({ start, end }, document) => {
    const count = end - start;
    const natural = patchStarts(entropies.subarray(start, end), patching.threshold);
    const { starts, lengths } = splitLongPatches(natural, count, patching.maxPatchLength);
    const local = patchIds(starts, count);
    const base = patchDocuments.length;
    for (let i = 0; i < count; i++) {
      encoder[start + i] = base + local.encoder[i]!;
      decoder[start + i] = base + local.decoder[i]!;
    }
    for (let patch = 0; patch <= local.encoder[count - 1]!; patch++) patchDocuments.push(document);
    return lengths;
  });
  const end = documents.at(-1)?.end ?? 0;
  if (end < ids.length) {
    // Padding is one more patch, later than all real ones, so nothing real sees it.
    encoder.fill(patchDocuments.length, end);
    decoder.fill(patchDocuments.length, end);
    patchDocuments.push(documents.length);
  }
  return { encoder, decoder, lengths, patchDocuments };
}

/** Rows of the fused hash table [rows * length * tables]. n-grams do not reach into the document before: a packed document hashes as it would alone. */
function hashedRows(rows: readonly ByteRow[], length: number, { hash }: BltConfig): Int32Array {
  const tables = hashTables(hash);
  const all = new Int32Array(rows.length * length * tables);
  // Padding reads a row that is read anyway: it must not count as reading another.
  const real = rows.find(({ documents }) => documents.length > 0);
  if (real !== undefined) {
    const { start } = real.documents[0]!;
    all.fill(hashRows(real.ids.subarray(start, start + 1), hash)[0]!);
  }
  rows.forEach(({ ids, documents }, row) => {
    for (const { start, end } of documents)
      all.set(hashRows(ids.subarray(start, end), hash), (row * length + start) * tables);
  });
  return all;
}

/**
 * Cuts rows into patches where the entropy exceeds the config's threshold.
 * @param entropies of the prediction made at each position, nats [rows * length].
 * @param capacity patches that each row is padded to; a row that has more raises it.
 */
export function cutRows(rows: readonly ByteRow[], entropies: Float32Array, config: BltConfig, capacity = 0): CutRows {
  const bytes = byteBatch(rows);
  const { length } = bytes;
  const cuts = rows.map((row, i) => cutRow(row, entropies.subarray(i * length, (i + 1) * length), config));
  const patches = Math.max(capacity, ...cuts.map(({ patchDocuments }) => patchDocuments.length));
  const encoderPatch = new Int32Array(rows.length * length);
  const decoderPatch = new Int32Array(rows.length * length);
  const patchDocuments = new Int32Array(rows.length * patches);
  cuts.forEach((cut, row) => {
    for (let i = 0; i < length; i++) {
      encoderPatch[row * length + i] = row * patches + cut.encoder[i]!;
      decoderPatch[row * length + i] = row * patches + cut.decoder[i]!;
    }
    patchDocuments.fill(rows[row]!.documents.length + 1, row * patches, (row + 1) * patches);
    patchDocuments.set(cut.patchDocuments, row * patches);
  });
  const batch: CutBatch = {
    ...bytes,
    patches,
    hashRows: hashedRows(rows, length, config),
    encoderPatch,
    decoderPatch,
    // Empty patches at the end of shorter rows are later than all real ones: causality alone hides them.
    patchDocuments: bytes.documents === null ? null : patchDocuments,
  };
  return { batch, patchLengths: cuts.map(({ lengths }) => lengths) };
}
