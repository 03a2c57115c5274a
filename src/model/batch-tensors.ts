/** @module A micro-batch as tensors, which the forward pass reads. In a traced function they are its inputs. */
import { tf } from '../engine/index.js';
import {
  type Arrays,
  BATCH_FIELDS,
  type BatchField,
  type BatchSizes,
  type BatchWith,
  type FieldValues,
  fieldShape,
  type PartialBatch,
  requireFields,
} from '../patching/index.js';

/** Field values as tensors. */
export interface Tensors extends FieldValues {
  readonly int32: tf.Tensor;
  readonly float32: tf.Tensor;
}

/** A micro-batch of tensors with at least the fields F. */
export type TensorBatch<F extends BatchField> = BatchWith<Tensors, F>;

/** The fields that a patcher reads. */
export const PATCHER_FIELDS = ['ids', 'documents'] as const;
/** The fields that the local encoder reads. */
export const ENCODER_FIELDS = ['ids', 'documents', 'hashRows', 'encoderPatch'] as const;
/** The fields that the local decoder reads. */
export const DECODER_FIELDS = ['documents', 'decoderPatch'] as const;
/** The fields that a whole BLT reads. */
export const BLT_FIELDS = [...ENCODER_FIELDS, 'decoderPatch', 'patchDocuments'] as const;

export type PatcherBatch = TensorBatch<(typeof PATCHER_FIELDS)[number]>;
export type EncoderBatch = TensorBatch<(typeof ENCODER_FIELDS)[number]>;
export type DecoderBatch = TensorBatch<(typeof DECODER_FIELDS)[number]>;
export type BltBatch = TensorBatch<(typeof BLT_FIELDS)[number]>;

/** The fields of a micro-batch as the inputs of a function. */
export interface BatchInputs<F extends BatchField> {
  /** The caller disposes them. */
  readonly tensors: readonly tf.Tensor[];
  /** Equal for batches that can share a trace. */
  readonly key: string;
  /** Makes a batch of tensors in the order of `tensors`: those themselves, or the placeholders of a trace. */
  batchOf(tensors: readonly tf.Tensor[]): TensorBatch<F>;
}

/** Copies some fields of a micro-batch into the engine. @throws Error that names missing fields. */
export function batchInputs<F extends BatchField>(batch: PartialBatch<Arrays>, fields: readonly F[]): BatchInputs<F> {
  const { rows, length, patches, tokens } = batch;
  const sizes: BatchSizes = { rows, length, patches, tokens };
  const arrays: PartialBatch<Arrays> = requireFields(batch, fields);
  const names: BatchField[] = [];
  const tensors: tf.Tensor[] = [];
  for (const field of new Set<F>(fields)) {
    const values = arrays[field] ?? null;
    if (values === null) continue;
    names.push(field);
    tensors.push(tf.tensor(values, fieldShape(field, sizes, values.length), BATCH_FIELDS[field].dtype));
  }
  const absent = Object.fromEntries(fields.map((field) => [field, null]));
  return {
    tensors,
    key: JSON.stringify([sizes, names]),
    batchOf: (given) =>
      ({
        ...sizes,
        ...absent,
        ...Object.fromEntries(names.map((name, i) => [name, given[i]!])),
      }) as unknown as TensorBatch<F>,
  };
}

/** Copies some fields of a micro-batch into the engine. The caller disposes them, or calls this inside tidy. @throws Error that names missing fields. */
export function batchTensors<F extends BatchField>(batch: PartialBatch<Arrays>, fields: readonly F[]): TensorBatch<F> {
  const inputs = batchInputs(batch, fields);
  return inputs.batchOf(inputs.tensors);
}
