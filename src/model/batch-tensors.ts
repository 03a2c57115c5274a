/** @module A batch as tensors: what the forward pass reads. In a traced function they are its inputs. */
import { tf } from '../engine/index.js';
import type { BatchArray, BatchArrays, ByteBatch, PatchedBatch } from '../patching/index.js';

/** Bytes in rows; int32 throughout. */
export interface ByteTensors {
  readonly rows: number;
  readonly length: number;
  /** [rows * length]. */
  readonly ids: tf.Tensor;
  /** [rows, length], or null when each row is one unpadded document. */
  readonly documents: tf.Tensor | null;
}

/** Bytes with their patches; see PatchedBatch. */
export interface PatchedTensors extends ByteTensors {
  readonly patches: number;
  /** [rows * length * tables]: rows of the hash table that is given as a parameter. */
  readonly hashRows: tf.Tensor;
  /** [rows * length]. */
  readonly encoderPatch: tf.Tensor;
  /** [rows * length]. */
  readonly decoderPatch: tf.Tensor;
  /** [rows, patches] or null. */
  readonly patchDocuments: tf.Tensor | null;
}

const ints = (values: Int32Array): tf.Tensor => tf.tensor1d(values, 'int32');
const table = (values: Int32Array | null, rows: number): tf.Tensor | null =>
  values === null ? null : tf.tensor2d(values, [rows, values.length / rows], 'int32');

/** Copies a batch into the engine. The caller disposes it, or calls this inside tidy. */
export function byteTensors({ rows, length, ids, documents }: ByteBatch): ByteTensors {
  return { rows, length, ids: ints(ids), documents: table(documents, rows) };
}

/** Copies a batch with its patches into the engine. */
export function patchedTensors(batch: PatchedBatch): PatchedTensors {
  const { rows, patches, hashRows, encoderPatch, decoderPatch, patchDocuments } = batch;
  return {
    ...byteTensors(batch),
    patches,
    hashRows: ints(hashRows),
    encoderPatch: ints(encoderPatch),
    decoderPatch: ints(decoderPatch),
    patchDocuments: table(patchDocuments, rows),
  };
}

/** Tensors by the names of a batch's arrays. */
export type BatchTensors = Readonly<Record<string, tf.Tensor>>;

/** Rows and positions of a micro-batch. */
export interface BatchShape {
  readonly rows: number;
  readonly length: number;
}

/** A batch's tensors as the model takes them. */
export function patchedOf(batch: BatchTensors, shape: BatchShape): PatchedTensors {
  return {
    ...shape,
    ids: batch.ids!,
    documents: batch.documents!,
    hashRows: batch.hashRows!,
    encoderPatch: batch.encoderPatch!,
    decoderPatch: batch.decoderPatch!,
    patchDocuments: batch.patchDocuments!,
    patches: batch.patchDocuments!.shape[1]!,
  };
}

/** Copies an array into the engine. */
export function batchTensor({ values, shape }: BatchArray): tf.Tensor {
  return tf.tensor(values, [...shape], values instanceof Int32Array ? 'int32' : 'float32');
}

/** Copies all of them; the caller disposes them, or calls this inside tidy. */
export function batchTensors(arrays: BatchArrays): BatchTensors {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, batchTensor(array)]));
}
