/** @module A batch as the model takes it: bytes in rows, cut into patches. Pure bookkeeping on the host (blt-format 1.7). */
import { type BltConfig, hashRows, hashTables, patchIds, patchStarts } from '../blt/index.js';
import { splitLongPatches } from './split-long-patches.js';

/** A stretch of a row that is one document: ids[start..end), beginning with BOS. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** One row of ids; positions outside all chunks are padding. */
export interface ByteRow {
  readonly ids: Int32Array;
  readonly chunks: readonly Chunk[];
}

/** `rows` rows of `length` positions. All arrays are row-major over [rows, length] unless said otherwise. */
export interface ByteBatch {
  readonly rows: number;
  readonly length: number;
  readonly ids: Int32Array;
  /** Document of each position, distinct a row; padding is a document of its own. Null when each row is one unpadded document. */
  readonly documents: Int32Array | null;
}

/** A batch with its patches. */
export interface PatchedBatch extends ByteBatch {
  /** Patches a row: the longest row's count, or the room that was asked for. */
  readonly patches: number;
  /** Fused hash-table row of each position and table [rows, length, tables]. */
  readonly hashRows: Int32Array;
  /** row * patches + E(p): the patch a byte is pooled into. */
  readonly encoderPatch: Int32Array;
  /** row * patches + D(p): the patch a byte's prediction reads. */
  readonly decoderPatch: Int32Array;
  /** Document of each patch [rows, patches], or null as for bytes. */
  readonly patchDocuments: Int32Array | null;
  /** Patch lengths of each row's chunks in the canonical form (each chunk's sum is its length + 1). */
  readonly patchLengths: readonly Int32Array[][];
}

/** Rows of one length, side by side. */
export function byteBatch(rows: readonly ByteRow[]): ByteBatch {
  const length = rows[0]!.ids.length;
  const ids = new Int32Array(rows.length * length);
  const documents = new Int32Array(rows.length * length);
  let plain = true;
  rows.forEach(({ ids: rowIds, chunks }, row) => {
    ids.set(rowIds, row * length);
    documents.fill(chunks.length, row * length, (row + 1) * length);
    chunks.forEach(({ start, end }, document) => {
      documents.fill(document, row * length + start, row * length + end);
    });
    plain &&= chunks.length === 1 && chunks[0]!.end === length;
  });
  return { rows: rows.length, length, ids, documents: plain ? null : documents };
}

/** One row that is one whole text. */
export function wholeRow(ids: Int32Array): ByteRow {
  return { ids, chunks: [{ start: 0, end: ids.length }] };
}

interface RowPatches {
  readonly encoder: Int32Array;
  readonly decoder: Int32Array;
  readonly lengths: Int32Array[];
  readonly documents: number[];
}

function cutRow({ ids, chunks }: ByteRow, entropies: Float32Array, config: BltConfig): RowPatches {
  const encoder = new Int32Array(ids.length);
  const decoder = new Int32Array(ids.length);
  const documents: number[] = [];
  const lengths = chunks.map(({ start, end }, document) => {
    const count = end - start;
    const natural = patchStarts(entropies.subarray(start, end), config.patching.threshold);
    const { starts, lengths } = splitLongPatches(natural, count, config.patching.maxPatchLength);
    const local = patchIds(starts, count);
    const base = documents.length;
    for (let i = 0; i < count; i++) {
      encoder[start + i] = base + local.encoder[i]!;
      decoder[start + i] = base + local.decoder[i]!;
    }
    for (let patch = 0; patch <= local.encoder[count - 1]!; patch++) documents.push(document);
    return lengths;
  });
  const end = chunks.at(-1)?.end ?? 0;
  if (end < ids.length) {
    // Padding is one more patch, later than all real ones, so nothing real sees it.
    encoder.fill(documents.length, end);
    decoder.fill(documents.length, end);
    documents.push(chunks.length);
  }
  return { encoder, decoder, lengths, documents };
}

/**
 * Cuts rows into patches by their entropies.
 * @param entropies of each position [rows, length], nats: of the prediction made there.
 * @param room patches a row is padded to where it has fewer.
 */
export function patchedBatch(
  rows: readonly ByteRow[],
  entropies: Float32Array,
  config: BltConfig,
  room = 0,
): PatchedBatch {
  const batch = byteBatch(rows);
  const { length } = batch;
  const cuts = rows.map((row, i) => cutRow(row, entropies.subarray(i * length, (i + 1) * length), config));
  const patches = Math.max(room, ...cuts.map(({ documents }) => documents.length));
  const tables = hashTables(config.hash);
  const out = {
    hashRows: new Int32Array(rows.length * length * tables),
    encoderPatch: new Int32Array(rows.length * length),
    decoderPatch: new Int32Array(rows.length * length),
    patchDocuments: new Int32Array(rows.length * patches),
  };
  // Padding reads a row that is read anyway: it must not count as reading another.
  const real = rows.find(({ chunks }) => chunks.length > 0);
  if (real !== undefined) {
    const { start } = real.chunks[0]!;
    out.hashRows.fill(hashRows(real.ids.subarray(start, start + 1), config.hash)[0]!);
  }
  rows.forEach(({ ids, chunks }, row) => {
    const { encoder, decoder, documents } = cuts[row]!;
    const at = row * length;
    for (let i = 0; i < length; i++) {
      out.encoderPatch[at + i] = row * patches + encoder[i]!;
      out.decoderPatch[at + i] = row * patches + decoder[i]!;
    }
    // n-grams do not reach into the document before: a packed document hashes as it would alone.
    for (const { start, end } of chunks)
      out.hashRows.set(hashRows(ids.subarray(start, end), config.hash), (at + start) * tables);
    out.patchDocuments.fill(chunks.length + 1, row * patches, (row + 1) * patches);
    out.patchDocuments.set(documents, row * patches);
  });
  // Empty patches at the end of shorter rows are later than all real ones: causality alone hides them.
  const patchDocuments = batch.documents === null ? null : out.patchDocuments;
  return { ...batch, ...out, patchDocuments, patches, patchLengths: cuts.map(({ lengths }) => lengths) };
}
