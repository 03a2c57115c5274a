/** @module A function over tensors whose shapes may change from call to call: traced anew when they do, or never when it runs eagerly. */
import type * as tf from '@tensorflow/tfjs-core';
import { signatureOf } from './compile.js';
import { type RunMode, type TensorFunction, tensorFunction } from './tensor-function.js';

export interface RetracedFunction {
  /**
   * @param body gives the outputs of the inputs. It is traced when the inputs' shapes or the key differ from those of the last call; otherwise
   * the last trace is taken, so that `body` must depend on nothing else.
   * @param inputs must stay alive until the promise settles.
   * @returns what the body gave, in its order; the caller disposes it.
   */
  call(
    body: (inputs: readonly tf.Tensor[]) => readonly tf.Tensor[],
    inputs: readonly tf.Tensor[],
    key?: string,
  ): Promise<tf.Tensor[]>;
  /** Forgets the trace. */
  dispose(): void;
}

/** The engine must be started when it is called. */
export function retracedFunction(mode: RunMode): RetracedFunction {
  let known: { readonly key: string; readonly traced: TensorFunction } | null = null;
  return {
    async call(body, inputs, key = '') {
      const signature = signatureOf(inputs);
      const wanted = `${key} ${JSON.stringify(signature)}`;
      // An eager function is its body, which may be another at each call.
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
