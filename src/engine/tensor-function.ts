/** @module A function over tensors that is compiled once or runs eagerly. Callers do not need to distinguish the two. */
import * as tf from '@tensorflow/tfjs-core';
import { onOpenXla } from './capabilities.js';
import { type CompiledFunction, type CompileMode, compile, type InputSpec } from './compile.js';

/** How a function runs: compiled, or eagerly, operation by operation. */
export type RunMode = CompileMode | 'eager';

export interface TensorFunction {
  /**
   * @param inputs in the signature's order and shapes; they must stay alive until the promise settles.
   * @returns what the body returned, in its order; the caller disposes it.
   */
  call(inputs: readonly tf.Tensor[]): Promise<tf.Tensor[]>;
  /** Makes the function as fast as possible while calls continue. An eager function stays as it is. */
  compileAhead(): Promise<void>;
  /** Releases what was compiled: immediately, or when a running compilation is done. */
  dispose(): void;
}

type Body = (...inputs: tf.Tensor[]) => readonly tf.Tensor[];

/** Clones the results, because one may be an input, which belongs to the caller. */
const runEagerly = (body: Body, inputs: readonly tf.Tensor[]): tf.Tensor[] =>
  tf.tidy(() => body(...inputs).map((output) => tf.clone(output)));

/**
 * Compiles `body` at its first call, or never, depending on the mode. The engine must be started.
 * @param body may read and write variables. @param options.fuse see `compile`
 */
export function tensorFunction(
  body: Body,
  signature: readonly InputSpec[],
  mode: RunMode,
  options: { readonly fuse?: boolean } = {},
): TensorFunction {
  if (mode === 'eager') {
    return {
      call: async (inputs) => runEagerly(body, inputs),
      compileAhead: async () => undefined,
      dispose: () => undefined,
    };
  }
  let compiled: CompiledFunction | null = null;
  let ahead: Promise<void> | null = null;
  const traced = () => {
    compiled ??= compile(body, signature, mode, options);
    return compiled;
  };
  return {
    call: async (inputs) => await traced().call(inputs),
    async compileAhead() {
      ahead ??= traced().compileAhead();
      await ahead;
    },
    dispose() {
      compiled?.dispose();
      compiled = null;
    },
  };
}

/**
 * Like `tensorFunction`, but no call waits for a compiler: the first one runs eagerly, later ones as an unfused graph, and those after
 * `compileAhead` in the requested mode. The three results differ only in rounding. OpenXLA compiles even single operations, so there the
 * function is compiled at once.
 */
export function gradualFunction(body: Body, signature: readonly InputSpec[], mode: CompileMode): TensorFunction {
  if (onOpenXla()) return tensorFunction(body, signature, mode);
  const eager = tensorFunction(body, signature, 'eager');
  const graph = tensorFunction(body, signature, 'graph', { fuse: false });
  const fastest = mode === 'graph' ? graph : tensorFunction(body, signature, mode);
  let current = eager;
  return {
    async call(inputs) {
      const now = current;
      if (current === eager) current = graph;
      return await now.call(inputs);
    },
    async compileAhead() {
      await fastest.compileAhead();
      current = fastest;
    },
    dispose() {
      graph.dispose();
      if (fastest !== graph) fastest.dispose();
    },
  };
}
