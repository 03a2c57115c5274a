/** @module Reads and converts a tensor chunk by chunk, so that a table of 4 GB costs 64 MB of memory. */
import { type Dtype, dtypeBytes, fromFloat32, toFloat32 } from './dtype.js';
import { elementCount, type TensorInfo, type TensorReader } from './types.js';

const CHUNK_BYTES = 64 * 2 ** 20;

export interface TensorChunksOptions {
  /** The type to convert to; by default the stored type. Data of the same type passes through unchanged. */
  readonly dtype?: Extract<Dtype, 'F32' | 'BF16'>;
  /** Maximum bytes per chunk, both as stored and as converted. Default 64 MiB. */
  readonly chunkBytes?: number;
  /** Each chunk is a multiple of this many elements, and at least one multiple. Default 1. */
  readonly unitElements?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Yields the little-endian bytes of a tensor's values, row-major, in order.
 * @param tensor as listed by the reader.
 * @throws ByteifyError for a type that cannot be converted or a range that cannot be read; the signal's reason, between two chunks.
 */
export async function* tensorChunks(
  reader: Pick<TensorReader, 'read'>,
  tensor: TensorInfo,
  options: TensorChunksOptions = {},
): AsyncGenerator<Uint8Array> {
  const { dtype = tensor.dtype, chunkBytes = CHUNK_BYTES, unitElements = 1, signal } = options;
  const width = dtypeBytes(tensor.dtype);
  const unitBytes = unitElements * Math.max(width, dtypeBytes(dtype));
  const step = Math.max(1, Math.floor(chunkBytes / unitBytes)) * unitElements * width;
  const total = elementCount(tensor.shape) * width;
  for (let offset = 0; offset < total; offset += step) {
    signal?.throwIfAborted();
    const bytes = await reader.read(tensor.name, { offset, length: Math.min(step, total - offset) });
    if (dtype === tensor.dtype) yield bytes;
    else yield fromFloat32(toFloat32(bytes, tensor.dtype), dtype as 'F32' | 'BF16');
  }
}
