/** @module Large float32 tensors in and out of the engine, piece by piece: no array of JavaScript's has to hold one whole. */
import * as tf from '@tensorflow/tfjs-core';
import { TensorFlowBackend } from './backend.js';

/** Bytes of one piece. */
export const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * A float32 tensor from the bytes of its values, row-major and little-endian, in pieces.
 * @throws ByteifyError when the pieces are not as long together as the shape says.
 */
export async function tensorFromChunks(
  shape: readonly number[],
  chunks: AsyncIterable<Uint8Array>,
): Promise<tf.Tensor> {
  const backend = tf.backend();
  if (backend instanceof TensorFlowBackend) return backend.createFromChunks(chunks, shape);
  const whole: Uint8Array[] = [];
  for await (const chunk of chunks) whole.push(chunk);
  const bytes = Buffer.concat(whole);
  return tf.tensor(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), [...shape]);
}

/** The bytes of a float32 tensor in pieces. The tensor stays the caller's and must live until the last piece is read. */
export function* chunksOf(tensor: tf.Tensor): Generator<Uint8Array> {
  const backend = tf.backend();
  if (backend instanceof TensorFlowBackend) {
    yield* backend.readChunks(tensor, CHUNK_BYTES);
    return;
  }
  const values = tensor.dataSync();
  yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
