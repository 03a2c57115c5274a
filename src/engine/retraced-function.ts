/** @module A function over tensors whose shapes may change from call to call: traced anew when they do, or never when it runs eagerly. */
import * as tf from '@tensorflow/tfjs-core';
import { type CompiledFunction, compile, type StepMode, signatureOf } from './compile.js';

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
export function retracedFunction(mode: StepMode): RetracedFunction {
  let known: { readonly key: string; readonly compiled: CompiledFunction } | null = null;
  return {
    async call(body, inputs, key = '') {
      // Clones: an output may be an input, which is the caller's.
      if (mode === 'eager') return tf.tidy(() => body(inputs).map((output) => tf.clone(output)));
      const signature = signatureOf(inputs);
      const traced = `${key} ${JSON.stringify(signature)}`;
      if (known?.key !== traced) {
        known?.compiled.dispose();
        known = { key: traced, compiled: compile((...given) => body(given), signature, mode) };
      }
      return await known.compiled.call(inputs);
    },
    dispose() {
      known?.compiled.dispose();
      known = null;
    },
  };
}
