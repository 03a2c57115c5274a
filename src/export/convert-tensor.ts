/** @module A tensor read, converted and handed on in pieces, so that a 4 GB table costs 64 MB of memory. */

import {
  type Dtype,
  dtypeBytes,
  fromFloat32,
  type TensorInfo,
  type TensorReader,
  tensorBytes,
  toFloat32,
} from '../safetensors/index.js';

/** A multiple of every dtype's size. */
const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * The bytes of a tensor in another precision. The same dtype passes through untouched.
 * @param params.tensor as it is stored
 * @throws DOMException (AbortError) between two pieces
 */
export async function* convertTensor(params: {
  reader: TensorReader;
  tensor: TensorInfo;
  dtype: Extract<Dtype, 'F32' | 'BF16'>;
  chunkBytes?: number;
  signal?: AbortSignal | undefined;
}): AsyncGenerator<Uint8Array> {
  const { reader, tensor, dtype, chunkBytes = CHUNK_BYTES, signal } = params;
  const total = tensorBytes(tensor);
  const step = Math.max(1, Math.floor(chunkBytes / dtypeBytes(tensor.dtype))) * dtypeBytes(tensor.dtype);
  for (let offset = 0; offset < total; offset += step) {
    signal?.throwIfAborted();
    const bytes = await reader.read(tensor.name, { offset, length: Math.min(step, total - offset) });
    yield tensor.dtype === dtype ? bytes : fromFloat32(toFloat32(bytes, tensor.dtype), dtype);
  }
}
