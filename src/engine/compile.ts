/** @module Turns a function over tensors into one TensorFlow function: traced once, run as a graph or compiled by XLA. */
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

/** How a compiled function runs: node by node, or as machine code. */
export type CompileMode = 'graph' | 'xla';

export interface CompiledFunction {
  /**
   * Runs the function on another thread, so that the event loop lives. Variables it assigns are updated in place.
   * @param inputs in the signature's order and shapes; they must stay alive until the promise settles.
   * @returns what the traced function returned, in its order; the caller disposes it.
   */
  call(inputs: readonly tf.Tensor[], mode?: CompileMode): Promise<tf.Tensor[]>;
  /**
   * Does on another thread what the first call in a mode would have to do: XLA compiles, TensorFlow prepares a graph. Nothing that the function
   * changes is changed, and other functions may work on the same variables meanwhile.
   */
  compileAhead(mode?: CompileMode): Promise<void>;
  /** Nodes of the graph. */
  readonly operations: number;
  /** Forgets the function. */
  dispose(): void;
}

const ATTRIBUTES: Readonly<Record<CompileMode, Attribute[]>> = {
  graph: [],
  xla: [attribute.bool('_XlaMustCompile', true)],
};

let made = 0;

/**
 * Traces `fn` once with symbolic tensors. Values that it captures become constants (small ones only); variables stay variables.
 * @param options.fuse false runs what `fuse` wraps operation by operation: a graph then starts at once, since XLA compiles none of it
 * @throws ByteifyError when `fn` reads a value, captures a large tensor or makes a shape that is not known, naming it.
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
      hint: 'Leave --backend away, or run eagerly with --eager.',
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
    dispose: () => traced.remove(),
  };
}

function check(inputs: readonly tf.Tensor[], signature: readonly InputSpec[]): void {
  if (inputs.length !== signature.length)
    throw new ByteifyError(`A compiled function takes ${signature.length} inputs and was given ${inputs.length}.`);
  for (const [i, { shape, dtype }] of signature.entries()) {
    const given = inputs[i]!;
    if (given.dtype !== dtype || given.shape.length !== shape.length || given.shape.some((n, j) => n !== shape[j])) {
      throw new ByteifyError(
        `Input ${i} of a compiled function is ${given.dtype} [${given.shape.join(', ')}] where it was traced with ${dtype} [${shape.join(', ')}].`,
        { hint: 'A trace has fixed shapes: pad what varies.' },
      );
    }
  }
}

/** The signature of tensors as they are. */
export function signatureOf(tensors: readonly tf.Tensor[]): InputSpec[] {
  return tensors.map(({ shape, dtype }) => {
    dataTypeOf(dtype);
    return { shape, dtype: dtype as InputSpec['dtype'] };
  });
}
