/** @module Turns a function over tensors into one function of the engine: traced once, then run as a graph or compiled by XLA. */
import type * as tf from '@tensorflow/tfjs-core';
import { ByteifyError } from '../errors.js';
import { dataTypeOf } from './attributes.js';
import { engineBackend } from './backend.js';
import { callOnZeros } from './call-on-zeros.js';
import { endsWithProcess } from './ends-with-process.js';
import type { CompileMode } from './executor.js';

export type { CompileMode };

/** Shape and type of one input. */
export interface InputSpec {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
}

export interface CompiledFunction {
  /**
   * Runs the function on another thread, so that the event loop is not blocked. Variables that it assigns are updated in place.
   * @param inputs in the signature's order and shapes; they must stay alive until the promise settles.
   * @returns what the traced function returned, in its order; the caller disposes it.
   */
  call(inputs: readonly tf.Tensor[], mode?: CompileMode): Promise<tf.Tensor[]>;
  /**
   * Does on another thread what the first call in a mode would have to do: XLA compiles, TensorFlow prepares a graph. It changes no variables, and
   * until it is done other functions may use the same variables.
   */
  compileAhead(mode?: CompileMode): Promise<void>;
  /** Number of nodes in the graph. */
  readonly operations: number;
  /** Releases the function. */
  dispose(): void;
}

let made = 0;

/**
 * Traces `fn` once with symbolic tensors. Captured values become constants (small ones only); variables stay variables.
 * @param options.fuse false runs the operations inside `fuse` one by one: the graph then starts immediately, since XLA compiles none of it
 * @throws ByteifyError when `fn` reads a value, captures a large tensor or produces an unknown shape; the message names it.
 */
export function compile(
  fn: (...inputs: tf.Tensor[]) => readonly tf.Tensor[],
  signature: readonly InputSpec[],
  defaultMode: CompileMode = 'xla',
  options: { readonly fuse?: boolean } = {},
): CompiledFunction {
  const backend = engineBackend();
  const { runtime } = backend;
  const traced = backend.trace(`byteify_${made++}`, signature, fn, options);
  return {
    operations: traced.operations,
    async call(inputs, mode = defaultMode) {
      check(inputs, signature);
      return await backend.callFunction(traced, inputs, mode);
    },
    async compileAhead(mode = defaultMode) {
      const compiling = runtime.compile?.(traced) ?? callOnZeros(backend, traced, signature, mode);
      await endsWithProcess(runtime, compiling);
    },
    dispose: () => backend.inFlight.release(traced, () => traced.remove()),
  };
}

function check(inputs: readonly tf.Tensor[], signature: readonly InputSpec[]): void {
  if (inputs.length !== signature.length)
    throw new ByteifyError(`A compiled function takes ${signature.length} inputs but received ${inputs.length}.`);
  for (const [i, { shape, dtype }] of signature.entries()) {
    const given = inputs[i]!;
    if (given.dtype !== dtype || given.shape.length !== shape.length || given.shape.some((n, j) => n !== shape[j])) {
      throw new ByteifyError(
        `Input ${i} of a compiled function is ${given.dtype} [${given.shape.join(', ')}], but it was traced with ${dtype} [${shape.join(', ')}].`,
        { hint: 'A trace has fixed shapes: pad dimensions that vary.' },
      );
    }
  }
}

/** The signature that matches the given tensors. */
export function signatureOf(tensors: readonly tf.Tensor[]): InputSpec[] {
  return tensors.map(({ shape, dtype }) => {
    dataTypeOf(dtype);
    return { shape, dtype: dtype as InputSpec['dtype'] };
  });
}
