/** @module Calls a traced function only for a side effect: TensorFlow compiles a function at its first call. */
import * as tf from '@tensorflow/tfjs-core';
import type { Attribute } from './attributes.js';
import type { TensorFlowBackend } from './backend.js';
import { endsWithProcess } from './ends-with-process.js';
import type { TracedFunction } from './graph.js';
import { createResource, type Resource } from './resource.js';

/** A variable of zeros with the shape and type of another. */
function zerosLike(backend: TensorFlowBackend, shape: readonly number[], valueType: number): Resource {
  const resource = createResource(backend, shape, valueType);
  const zeros = backend.zeros(shape, valueType);
  resource.assign(zeros);
  zeros.dispose();
  return resource;
}

/**
 * Calls `traced` on zero inputs, with variables of zeros in place of those that it changes; the others are passed unchanged. TensorFlow
 * identifies a compiled function by the shapes and types of its arguments, so later calls with the real variables reuse it.
 */
export async function callOnZeros(
  backend: TensorFlowBackend,
  traced: TracedFunction,
  signature: readonly { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' | 'bool' }[],
  attributes: Attribute[],
): Promise<void> {
  const standIns = new Map(
    [...traced.changed].map((native) => [native, zerosLike(backend, native.shape, native.valueType!)] as const),
  );
  const inputs = tf.tidy(() => signature.map(({ shape, dtype }) => tf.zeros([...shape], dtype)));
  try {
    const captured = traced.captured.map((native) => standIns.get(native)?.native ?? native);
    tf.dispose(await endsWithProcess(backend.runtime, backend.callFunction(traced, inputs, attributes, captured)));
  } finally {
    tf.dispose(inputs);
    for (const resource of standIns.values()) resource.dispose();
  }
}
