/** @module Parameters by their names in the checkpoint. */
import type { tf } from '../engine/index.js';
import { ByteifyError } from '../errors.js';

/** Name in the checkpoint -> float32 tensor. */
export type Params = ReadonlyMap<string, tf.Tensor>;

/** The parameter of this name. @throws ByteifyError if the model does not have it. */
export function param(params: Params, name: string): tf.Tensor {
  const tensor = params.get(name);
  if (tensor === undefined) throw new ByteifyError(`The checkpoint lacks the tensor ${name}.`);
  return tensor;
}
