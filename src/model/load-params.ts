/** @module Brings tensors of a checkpoint into the engine. */
import { tf } from '../engine/index.js';
import { type TensorReader, toFloat32 } from '../safetensors/index.js';
import type { Params } from './params.js';

/**
 * Reads the named tensors as float32. The caller disposes them.
 * @throws ByteifyError when a tensor is absent or cannot be read.
 */
export async function loadParams(reader: TensorReader, names: Iterable<string>): Promise<Params> {
  const params = new Map<string, tf.Tensor>();
  for (const name of names) {
    const info = reader.tensors.get(name);
    const bytes = await reader.read(name); // refuses a name that the reader lacks
    params.set(name, tf.tensor(toFloat32(bytes, info!.dtype), [...info!.shape]));
  }
  return params;
}

/** Releases every tensor. */
export function disposeParams(params: Params): void {
  for (const tensor of params.values()) tensor.dispose();
}
