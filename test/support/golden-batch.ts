/** Golden texts as one padded batch, and a model as a function of flat lists of tensors, like a compiled function. */
import { type BltConfig, bltTensors } from '../../src/blt/index.js';
import type { tf } from '../../src/engine/index.js';
import {
  type BatchInputs,
  BLT_FIELDS,
  type BltModel,
  batchInputs,
  cutIntoPatches,
  type Params,
} from '../../src/model/index.js';
import type { CutBatch } from '../../src/patching/index.js';

export interface GoldenBatch {
  readonly batch: CutBatch;
  readonly inputs: BatchInputs<(typeof BLT_FIELDS)[number]>;
}

/** Texts right-padded to a common length plus three positions, so that every row has padding. */
export function goldenBatch(model: BltModel, texts: readonly (readonly number[])[]): GoldenBatch {
  const length = Math.max(...texts.map((ids) => ids.length)) + 3;
  const rows = texts.map((text) => {
    const ids = new Int32Array(length);
    ids.set(text);
    return { ids, documents: [{ start: 0, end: text.length }] };
  });
  const { batch } = cutIntoPatches(model.params, model.config, rows);
  return { batch, inputs: batchInputs(batch, BLT_FIELDS) };
}

/** The names of a model's parameters: those of the patcher, or all others. */
export function namesOf(config: BltConfig, patcher: boolean): string[] {
  return bltTensors(config).flatMap(({ name, part }) => ((part === 'patcher') === patcher ? [name] : []));
}

export const paramsOf = (names: readonly string[], tensors: readonly tf.Tensor[]): Params =>
  new Map(names.map((name, i) => [name, tensors[i]!]));
