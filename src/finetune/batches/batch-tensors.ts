/** @module The arrays of a micro-batch as tensors. */
import { tf } from '../../engine/index.js';
import type { BatchTensors } from '../stages/objective.js';
import type { BatchArray, BatchArrays } from './batch-arrays.js';

/** Copies an array into the engine. */
export function batchTensor({ values, shape }: BatchArray): tf.Tensor {
  return tf.tensor(values, [...shape], values instanceof Int32Array ? 'int32' : 'float32');
}

/** Copies all of them; the caller disposes them, or calls this inside tidy. */
export function batchTensors(arrays: BatchArrays): BatchTensors {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, batchTensor(array)]));
}
