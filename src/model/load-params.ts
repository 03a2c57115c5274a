/** @module Brings tensors of a checkpoint into the engine. */
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

/** The values of a tensor as float32 bytes, piece by piece, and zeros after them. */
async function* float32Chunks(reader: TensorReader, name: string, zeroBytes: number): AsyncGenerator<Uint8Array> {
  yield* tensorChunks(reader, reader.tensors.get(name)!, { dtype: 'F32', chunkBytes: CHUNK_BYTES });
  if (zeroBytes > 0) yield new Uint8Array(zeroBytes);
}

/** Shape of a tensor with more rows. */
function taller(shape: readonly number[], spareRows: number): number[] {
  return shape.map((extent, axis) => (axis === 0 ? extent + spareRows : extent));
}

async function load(reader: TensorReader, name: string, spareRows = 0): Promise<tf.Tensor> {
  const info = reader.tensors.get(name);
  if (info === undefined) await reader.read(name); // refuses a name that the reader lacks
  if (!isPlainFloat(info!.dtype)) {
    throw new ByteifyError(
      `The tensor ${name} is stored as ${info!.dtype}: F32, F16, BF16 and F64 can be computed with.`,
      {
        hint: 'Take the checkpoint that it was quantised from.',
      },
    );
  }
  const rowBytes = info!.shape.slice(1).reduce((product, extent) => product * extent, 4);
  return await tensorFromChunks(taller(info!.shape, spareRows), float32Chunks(reader, name, spareRows * rowBytes));
}

/**
 * Reads the named tensors as float32. The caller disposes them.
 * @throws ByteifyError when a tensor is absent or cannot be read.
 */
export async function loadParams(reader: TensorReader, names: Iterable<string>): Promise<Params> {
  const params = new Map<string, tf.Tensor>();
  for (const name of names) params.set(name, await load(reader, name));
  return params;
}

/**
 * Reads a tensor into a variable; no second copy is made on the way.
 * @param options.spareRows zero rows added at the end. @param options.storage how the variable holds it.
 * @throws ByteifyError when the tensor is absent or cannot be read.
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

/** Releases every tensor. */
export function disposeParams(params: Params): void {
  for (const tensor of params.values()) tensor.dispose();
}
