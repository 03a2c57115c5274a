/** @module A function over tensors that is compiled once, or runs operation by operation: the one place where the two meet. */
import * as tf from '@tensorflow/tfjs-core';
import { canCompile } from './capabilities.js';
import { type CompiledFunction, type CompileMode, compile, type InputSpec } from './compile.js';

/** How a function runs: compiled, or operation by operation. */
export type RunMode = CompileMode | 'eager';

/** As a graph, where the backend can trace one. */
export const graphOrEager = (): RunMode => (canCompile() ? 'graph' : 'eager');

export interface TensorFunction {
  /**
   * @param inputs in the signature's order and shapes; they must stay alive until the promise settles.
   * @returns what the body gave, in its order; the caller disposes it.
   */
  call(inputs: readonly tf.Tensor[]): Promise<tf.Tensor[]>;
  /** Does beforehand, while calls go on, what makes calls fast. */
  compileAhead(): Promise<void>;
  /** Forgets what was compiled: at once, or when what is being compiled is done. */
  dispose(): void;
}

type Body = (...inputs: tf.Tensor[]) => readonly tf.Tensor[];

/** Clones: what comes out may be an input, which is the caller's. */
const runEagerly = (body: Body, inputs: readonly tf.Tensor[]): tf.Tensor[] =>
  tf.tidy(() => body(...inputs).map((output) => tf.clone(output)));

/**
 * Compiles `body` at its first call, or never. The engine must be started.
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
      const forget = () => {
        compiled?.dispose();
        compiled = null;
      };
      if (ahead === null) forget();
      else void ahead.then(forget, forget);
    },
  };
}

/**
 * As `tensorFunction`, but no call waits for a compiler: the first one runs operation by operation, later ones as a graph that is run as it was
 * traced, and those after `compileAhead` in the mode that is asked for. All give the same but for rounding.
 */
export function gradualFunction(body: Body, signature: readonly InputSpec[], mode: CompileMode): TensorFunction {
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
