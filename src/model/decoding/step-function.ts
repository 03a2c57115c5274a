/** @module One step's computation by the names of its inputs, whose values come from the host. */
import { gradualFunction, type RunMode, tensorFunction, tf } from '../../engine/index.js';

export type Values = Int32Array | Float32Array;

export interface InputShape {
  readonly dtype: 'int32' | 'float32';
  readonly shape: readonly number[];
}

export interface StepFunction<Name extends string> {
  /** @param inputs values, or tensors that stay the caller's. @returns what the body gave; the caller disposes it. */
  run(inputs: Readonly<Record<Name, Values | tf.Tensor>>): Promise<tf.Tensor[]>;
  /** Compiles the step by XLA, where that is its mode, while runs go on. */
  compileAhead(): Promise<void>;
  dispose(): void;
}

/**
 * A step never waits for a compiler. With mode `xla` it runs uncompiled until `compileAhead` is done. Graphs are run as they are traced: fused chains
 * would cost seconds to compile and save nothing measurable in a forward pass.
 * @param body may write variables.
 */
export function stepFunction<Name extends string>(
  inputs: Readonly<Record<Name, InputShape>>,
  mode: RunMode,
  body: (inputs: Readonly<Record<Name, tf.Tensor>>) => tf.Tensor[],
): StepFunction<Name> {
  const names = Object.keys(inputs) as Name[];
  const signature = names.map((name) => inputs[name]);
  const ordered = (...tensors: tf.Tensor[]) =>
    body(Object.fromEntries(names.map((name, i) => [name, tensors[i]!])) as Record<Name, tf.Tensor>);
  const compiled =
    mode === 'xla' ? gradualFunction(ordered, signature) : tensorFunction(ordered, signature, mode, { fuse: false });
  return {
    async run(given) {
      const made: tf.Tensor[] = [];
      const tensors = names.map((name) => {
        const value = given[name];
        if (value instanceof tf.Tensor) return value;
        const { shape, dtype } = inputs[name];
        made.push(tf.tensor(value, [...shape], dtype));
        return made.at(-1)!;
      });
      try {
        return await compiled.call(tensors);
      } finally {
        tf.dispose(made);
      }
    },
    compileAhead: compiled.compileAhead,
    dispose: compiled.dispose,
  };
}
