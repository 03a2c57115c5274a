/** @module Turns a function over tensors into one TensorFlow function: traced once, then run as a graph or compiled by XLA. */
import * as tf from '@tensorflow/tfjs-core';
import { ByteifyError } from '../errors.js';
import { type Attribute, attribute, dataTypeOf } from './attributes.js';
import { TensorFlowBackend } from './backend.js';
import { callOnZeros } from './call-on-zeros.js';

/** Shape and type of one input. */
export interface InputSpec {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
}

/** How a compiled function runs: as a graph, node by node, or as machine code from XLA. */
export type CompileMode = 'graph' | 'xla';

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

const ATTRIBUTES: Readonly<Record<CompileMode, Attribute[]>> = {
  graph: [],
  xla: [attribute.bool('_XlaMustCompile', true)],
};

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
  const backend = tf.backend();
  if (!(backend instanceof TensorFlowBackend)) {
    throw new ByteifyError('Only the libtensorflow backend compiles functions.', {
      hint: 'Leave out --backend, or run eagerly with --eager.',
    });
  }
  const traced = backend.trace(`byteify_${made++}`, signature, fn, options);
  return {
    operations: traced.operations,
    async call(inputs, mode = defaultMode) {
      check(inputs, signature);
      return await backend.callFunction(traced, inputs, ATTRIBUTES[mode]);
    },
    compileAhead: (mode = defaultMode) => callOnZeros(backend, traced, signature, ATTRIBUTES[mode]),
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
