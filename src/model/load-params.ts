/** @module Loads tensors of a checkpoint into the engine. */
import type { TensorSpec } from '../blt/index.js';
import {
  CHUNK_BYTES,
  createVariable,
  type Storage,
  tensorFromChunks,
  type tf,
  type Variable,
} from '../engine/index.js';
import { ByteifyError } from '../errors.js';
import { isPlainFloat, type TensorReader, tensorChunks } from '../safetensors/index.js';
import type { Params } from './params.js';

/** The values of a tensor as float32 bytes, in chunks, followed by `zeroBytes` zeros. */
async function* float32Chunks(reader: TensorReader, name: string, zeroBytes: number): AsyncGenerator<Uint8Array> {
  yield* tensorChunks(reader, reader.tensors.get(name)!, { dtype: 'F32', chunkBytes: CHUNK_BYTES });
  if (zeroBytes > 0) yield new Uint8Array(zeroBytes);
}

/** The shape of a tensor with spare rows. */
function withSpareRows(shape: readonly number[], spareRows: number): number[] {
  return shape.map((extent, axis) => (axis === 0 ? extent + spareRows : extent));
}

async function load(reader: TensorReader, name: string, spareRows = 0): Promise<tf.Tensor> {
  const info = reader.tensors.get(name);
  if (info === undefined) await reader.read(name); // throws, because the reader does not have the tensor
  if (!isPlainFloat(info!.dtype)) {
    throw new ByteifyError(
      `The tensor ${name} is stored as ${info!.dtype}; byteify computes with F32, F16, BF16 and F64 only.`,
      { hint: 'Use the checkpoint that this one was quantised from.' },
    );
  }
  const rowBytes = info!.shape.slice(1).reduce((product, extent) => product * extent, 4);
  const shape = withSpareRows(info!.shape, spareRows);
  return await tensorFromChunks(shape, float32Chunks(reader, name, spareRows * rowBytes));
}

/**
 * Reads the named tensors as float32. The caller disposes them.
 * @throws ByteifyError if a tensor is missing or cannot be read.
 */
export async function loadParams(reader: TensorReader, names: Iterable<string>): Promise<Params> {
  const params = new Map<string, tf.Tensor>();
  for (const name of names) params.set(name, await load(reader, name));
  return params;
}

/**
 * Reads a tensor into a variable without a second copy of it in memory.
 * @param options.spareRows number of zero rows to add at the end @param options.storage the type in which the variable stores it
 * @throws ByteifyError if the tensor is missing or cannot be read.
 */
export async function loadVariable(
  reader: TensorReader,
  name: string,
  options: { readonly spareRows?: number; readonly storage?: Storage } = {},
): Promise<Variable> {
  const value = await load(reader, name, options.spareRows);
  const variable = createVariable(value, options.storage);
  value.dispose();
  return variable;
}

/** Loads a tensor that is not trained. Matrices that the checkpoint stores in bfloat16 stay in bfloat16, which is lossless. */
export async function loadFrozen(reader: TensorReader, { name, role }: TensorSpec): Promise<Variable> {
  const narrow = role === 'linear' && reader.tensors.get(name)?.dtype === 'BF16';
  return await loadVariable(reader, name, { storage: narrow ? 'bfloat16' : 'float32' });
}

/** Disposes every tensor. */
export function disposeParams(params: Params): void {
  for (const tensor of params.values()) tensor.dispose();
}
