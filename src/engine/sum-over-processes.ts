/** @module Sums tensors over the processes that compute together. */
import type * as tf from '@tensorflow/tfjs-core';
import { ByteifyError } from '../errors.js';
import { engineBackend } from './backend.js';
import { endsWithProcess } from './ends-with-process.js';

/** The key of each shape and place in a call. A runtime keeps something for every key, so a step's sums use those of the step before. */
const keys = new Map<string, number>();

function keyOf(shape: readonly number[], place: number): number {
  const name = `${place} ${shape}`;
  const key = keys.get(name) ?? keys.size;
  keys.set(name, key);
  return key;
}

/**
 * Sums each tensor over the processes. All processes must call it with tensors of the same shapes, and one call after the other. Every process gets
 * the same bits, whatever its own share was.
 * @param tensors float32. They must stay alive until the promise settles.
 * @returns the sums, which the caller disposes.
 * @throws ByteifyError when another process cannot be reached
 */
export function sumOverProcesses(tensors: readonly tf.Tensor[]): Promise<tf.Tensor[]> {
  const backend = engineBackend();
  if (backend.runtime.sumOverProcesses === null)
    throw new ByteifyError('The engine was started for a process that computes alone.');
  const sums = tensors.map((tensor, place) => backend.sumOverProcesses(tensor, keyOf(tensor.shape, place)));
  // A process that is lost leaves the others waiting.
  return endsWithProcess(backend.runtime, Promise.all(sums));
}
