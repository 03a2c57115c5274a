/** @module Parameters by the names they have in a checkpoint. */
import type { tf } from '../engine/index.js';
import { ByteifyError } from '../errors.js';

/** Name in the checkpoint -> float32 tensor. */
export type Params = ReadonlyMap<string, tf.Tensor>;

/** @throws ByteifyError naming the tensor that a model lacks. */
export function param(params: Params, name: string): tf.Tensor {
  const tensor = params.get(name);
  if (tensor === undefined) throw new ByteifyError(`the checkpoint lacks the tensor ${name}`);
  return tensor;
}
