/** @module Large tensors of zeros that take memory on a CPU only where they are written to. */
import type { Pointer, TensorFlowApi } from './native.js';
import { dims } from './write-attributes.js';

/** From here on zeros are pages that the kernel makes when they are written to. */
export const LAZY_ZERO_BYTES = 64 * 2 ** 20;

/** Larger pages than the kernel's only leave more to be written at the ends. */
const PAGE_BYTES = 65_536n;

/**
 * A TF_Tensor in memory of TensorFlow's own, whose pages are handed back to the kernel. (Memory of ours would not do: TensorFlow
 * copies a variable that does not own its memory when rows of it are first read or written.) Null where it cannot be done.
 */
export function lazyZeros(
  api: TensorFlowApi,
  shape: readonly number[],
  dtype: number,
  byteCount: number,
): Pointer | null {
  const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, byteCount);
  const data = api.TF_TensorData(tensor);
  // Null when TensorFlow's allocator refuses: Fill then says so in words.
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
