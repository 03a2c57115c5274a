/** @module Moves large float32 tensors in and out of the engine chunk by chunk, so that no JavaScript array has to contain a whole one. */
import type * as tf from '@tensorflow/tfjs-core';
import { engineBackend } from './backend.js';

/** Bytes per chunk. */
export const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * Creates a float32 tensor from chunks of its values' bytes, row-major and little-endian.
 * @throws ByteifyError when the total length of the chunks does not match the shape.
 */
export async function tensorFromChunks(
  shape: readonly number[],
  chunks: AsyncIterable<Uint8Array>,
): Promise<tf.Tensor> {
  return engineBackend().createFromChunks(chunks, shape);
}

/** Yields the bytes of a float32 tensor in chunks. The caller keeps the tensor, which must live until the last chunk is read. */
export function chunksOf(tensor: tf.Tensor): Generator<Uint8Array> {
  return engineBackend().readChunks(tensor, CHUNK_BYTES);
}
