/** @module Calls a traced function only for a side effect: TensorFlow compiles a function at its first call. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineBackend } from './backend.js';
import type { CompileMode, TracedFunction } from './executor.js';
import { createResource, type Resource } from './resource.js';

/** A variable of zeros with the shape and type of another. */
function zerosLike(backend: EngineBackend, shape: readonly number[], valueType: number): Resource {
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
  backend: EngineBackend,
  traced: TracedFunction,
  signature: readonly { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' | 'bool' }[],
  mode: CompileMode,
): Promise<void> {
  const standIns = new Map(
    [...traced.changed].map((native) => [native, zerosLike(backend, native.shape, native.valueType!)] as const),
  );
  const inputs = tf.tidy(() => signature.map(({ shape, dtype }) => tf.zeros([...shape], dtype)));
  try {
    const captured = traced.captured.map((native) => standIns.get(native)?.native ?? native);
    tf.dispose(await backend.callFunction(traced, inputs, mode, captured));
  } finally {
    tf.dispose(inputs);
    for (const resource of standIns.values()) resource.dispose();
  }
}
