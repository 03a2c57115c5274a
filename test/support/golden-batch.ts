/** Golden texts as one padded batch, and a model as a function of flat lists of tensors: what a compiled function takes. */
import { type BltConfig, bltTensors } from '../../src/blt/index.js';
import type { tf } from '../../src/engine/index.js';
import {
  type BltModel,
  cutIntoPatches,
  type Params,
  type PatchedTensors,
  patchedTensors,
} from '../../src/model/index.js';
import type { PatchedBatch } from '../../src/patching/index.js';

export interface GoldenBatch {
  readonly batch: PatchedBatch;
  readonly shape: { readonly rows: number; readonly length: number; readonly patches: number };
  /** int32, in the order of `FIELDS`. */
  readonly tensors: readonly tf.Tensor[];
}

const FIELDS = ['ids', 'documents', 'hashRows', 'encoderPatch', 'decoderPatch', 'patchDocuments'] as const;

/** Texts right-padded to one length and three positions more, so that every row has padding. */
export function goldenBatch(model: BltModel, texts: readonly (readonly number[])[]): GoldenBatch {
  const length = Math.max(...texts.map((ids) => ids.length)) + 3;
  const rows = texts.map((text) => {
    const ids = new Int32Array(length);
    ids.set(text);
    return { ids, chunks: [{ start: 0, end: text.length }] };
  });
  const { batch } = cutIntoPatches(model.params, model.config, rows);
  const named = patchedTensors(batch);
  return {
    batch,
    shape: { rows: rows.length, length, patches: batch.patches },
    tensors: FIELDS.map((field) => named[field]!),
  };
}

/** The batch from tensors in the order of `FIELDS`. */
export function batchOf(shape: GoldenBatch['shape'], tensors: readonly tf.Tensor[]): PatchedTensors {
  const named = Object.fromEntries(FIELDS.map((field, i) => [field, tensors[i]!]));
  return { ...shape, ...named } as unknown as PatchedTensors;
}

export const BATCH_TENSORS = FIELDS.length;

/** Names of a model's parameters, those of the patcher or all others. */
export function namesOf(config: BltConfig, patcher: boolean): string[] {
  return bltTensors(config).flatMap(({ name, part }) => ((part === 'patcher') === patcher ? [name] : []));
}

export const paramsOf = (names: readonly string[], tensors: readonly tf.Tensor[]): Params =>
  new Map(names.map((name, i) => [name, tensors[i]!]));
