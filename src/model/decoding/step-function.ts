/** @module Turns a step's computation into a function with named inputs, whose values come from the host. */
import { gradualFunction, type RunMode, tensorFunction, tf } from '../../engine/index.js';

export type Values = Int32Array | Float32Array;

export interface InputShape {
  readonly dtype: 'int32' | 'float32';
  readonly shape: readonly number[];
}

export interface StepFunction<Name extends string> {
  /** @param inputs values, or tensors that the caller keeps. @returns the body's tensors, which the caller disposes. */
  run(inputs: Readonly<Record<Name, Values | tf.Tensor>>): Promise<tf.Tensor[]>;
  /** With mode `xla`, compiles the step while runs continue. */
  compileAhead(): Promise<void>;
  dispose(): void;
}

/** How a step runs. */
export interface StepMode {
  readonly mode: RunMode;
  /** Whether runs never wait for compilation: until `compileAhead` is done, the step runs first operation by operation, later as a graph. */
  readonly gradual: boolean;
}

/**
 * Creates a step. Chains of elementwise operations in graphs are not fused: compiling the fused operations would take seconds and save nothing
 * measurable in a forward pass.
 * @param body may write to variables.
 */
export function stepFunction<Name extends string>(
  inputs: Readonly<Record<Name, InputShape>>,
  { mode, gradual }: StepMode,
  body: (inputs: Readonly<Record<Name, tf.Tensor>>) => tf.Tensor[],
): StepFunction<Name> {
  const names = Object.keys(inputs) as Name[];
  const signature = names.map((name) => inputs[name]);
  const ordered = (...tensors: tf.Tensor[]) =>
    body(Object.fromEntries(names.map((name, i) => [name, tensors[i]!])) as Record<Name, tf.Tensor>);
  const compiled =
    gradual && mode !== 'eager'
      ? gradualFunction(ordered, signature, mode)
      : tensorFunction(ordered, signature, mode, { fuse: false });
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
