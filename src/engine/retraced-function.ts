/** @module A function over tensors whose shapes may change from call to call: it is traced again when they do, or never if it runs eagerly. */
import type * as tf from '@tensorflow/tfjs-core';
import { signatureOf } from './compile.js';
import { type RunMode, type TensorFunction, tensorFunction } from './tensor-function.js';

export interface RetracedFunction {
  /**
   * @param body computes the outputs. It is traced if the shapes of the inputs or the key differ from those of the last call; otherwise the last
   * trace is used, so `body` must depend on nothing else.
   * @param inputs must stay alive until the promise settles.
   * @returns what the body returned, in its order; the caller disposes it.
   */
  call(
    body: (inputs: readonly tf.Tensor[]) => readonly tf.Tensor[],
    inputs: readonly tf.Tensor[],
    key?: string,
  ): Promise<tf.Tensor[]>;
  /** Releases the trace. */
  dispose(): void;
}

/** Creates the function. The engine must be started before it is called. */
export function retracedFunction(mode: RunMode): RetracedFunction {
  let known: { readonly key: string; readonly traced: TensorFunction } | null = null;
  return {
    async call(body, inputs, key = '') {
      const signature = signatureOf(inputs);
      const wanted = `${key} ${JSON.stringify(signature)}`;
      // An eager function calls its body, which may differ from call to call.
      if (known?.key !== wanted || mode === 'eager') {
        known?.traced.dispose();
        known = { key: wanted, traced: tensorFunction((...given) => body(given), signature, mode) };
      }
      return await known.traced.call(inputs);
    },
    dispose() {
      known?.traced.dispose();
      known = null;
    },
  };
}
