/** @module Large tensors of zeros that, on a CPU, take memory only where they are written to. */
import type { Pointer } from '../executor.js';
import type { TensorFlowApi } from './native.js';
import { dims } from './write-attributes.js';

/** From this size on, the kernel provides the pages of zeros when they are first written to. */
export const LAZY_ZERO_BYTES = 64 * 2 ** 20;

/** A multiple of the kernel's page size is safe: it only leaves more bytes to write at both ends. */
const PAGE_BYTES = 65_536n;

/**
 * A TF_Tensor in TensorFlow's own memory whose pages are returned to the kernel. Memory of our own would not do: TensorFlow copies a
 * variable that does not own its memory when its rows are first read or written. Returns null when the system does not support this.
 */
export function lazyZeros(
  api: TensorFlowApi,
  shape: readonly number[],
  dtype: number,
  byteCount: number,
): Pointer | null {
  const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, byteCount);
  const data = api.TF_TensorData(tensor);
  // Null when TensorFlow's allocator fails: Fill then reports the error in words.
  const begin = BigInt(data ?? 0);
  const end = begin + BigInt(byteCount);
  const firstPage = ((begin + PAGE_BYTES - 1n) / PAGE_BYTES) * PAGE_BYTES;
  const lastPage = (end / PAGE_BYTES) * PAGE_BYTES;
  if (data === null || !api.forgetPages(firstPage, Number(lastPage - firstPage))) {
    api.TF_DeleteTensor(tensor);
    return null;
  }
  for (const [from, to] of [
    [begin, firstPage],
    [lastPage, end],
  ] as const)
    if (to > from) api.copyToNative(from, new Uint8Array(Number(to - from)), Number(to - from));
  return tensor;
}
