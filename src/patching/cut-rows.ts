/** @module Segments rows of bytes into patches by the patcher's entropies (blt-format 1.7). Host code, without TensorFlow. */
import { type BltConfig, hashRows, hashTables, patchIds, patchStarts } from '../blt/index.js';
import type { Arrays, BatchWith, ByteFields, PatchFields } from './batch.js';
import { type ByteRow, byteBatch } from './byte-batch.js';
import { splitLongPatches } from './split-long-patches.js';

/** A batch with all fields that a BLT reads. */
export type CutBatch = BatchWith<Arrays, keyof ByteFields<Arrays> | keyof PatchFields<Arrays>>;

export interface CutRows {
  readonly batch: CutBatch;
  /** The patch lengths of each row's documents in the canonical form: those of a document sum to its length + 1. */
  readonly patchLengths: readonly (readonly Int32Array[])[];
}

/** The patches of one row, numbered from its beginning. */
interface RowPatches {
  /** E(p), the patch that each position is pooled into. */
  readonly encoder: Int32Array;
  /** D(p), the patch that each position attends to in the decoder. */
  readonly decoder: Int32Array;
  /** The patch lengths of each document. */
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
    const unsplit = patchStarts(entropies.subarray(start, end), patching.threshold);
    const { starts, lengths } = splitLongPatches(unsplit, count, patching.maxPatchLength);
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
    // Padding is one more patch after all real ones, so that no real patch attends to it.
    encoder.fill(patchDocuments.length, end);
    decoder.fill(patchDocuments.length, end);
    patchDocuments.push(documents.length);
  }
  return { encoder, decoder, lengths, patchDocuments };
}

/** Rows of the fused hash table [rows * length * tables]. No n-gram crosses the beginning of a document: a packed document hashes as it would alone. */
function hashedRows(rows: readonly ByteRow[], length: number, { hash }: BltConfig): Int32Array {
  const tables = hashTables(hash);
  const all = new Int32Array(rows.length * length * tables);
  // Padding looks up a row that a real byte looks up too, so that it does not add to the sparse row indices.
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
 * Segments rows into patches where the entropy exceeds the config's threshold.
 * @param entropies of the prediction at each position, in nats [rows * length]
 * @param capacity the number of patches to which each row is padded; a row with more patches raises it
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
    // The empty patches at the end of shorter rows come after all real ones: causality is enough to mask them.
    patchDocuments: bytes.documents === null ? null : patchDocuments,
  };
  return { batch, patchLengths: cuts.map(({ lengths }) => lengths) };
}
