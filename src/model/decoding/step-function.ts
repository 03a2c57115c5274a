/** @module One step's computation by the names of its inputs: compiled where the engine can, else run operation by operation. */
import { type CompileMode, compile, tf } from '../../engine/index.js';

export type Values = Int32Array | Float32Array;

export interface InputShape {
  readonly dtype: 'int32' | 'float32';
  readonly shape: readonly number[];
}

export interface StepFunction<Name extends string> {
  /** @param inputs values, or tensors that stay the caller's. @returns what the body gave; the caller disposes it. */
  run(inputs: Readonly<Record<Name, Values | tf.Tensor>>): Promise<tf.Tensor[]>;
  dispose(): void;
}

/** `body` may write variables. It is traced at the first run. */
export function stepFunction<Name extends string>(
  inputs: Readonly<Record<Name, InputShape>>,
  mode: CompileMode | 'eager',
  body: (inputs: Readonly<Record<Name, tf.Tensor>>) => tf.Tensor[],
): StepFunction<Name> {
  const names = Object.keys(inputs) as Name[];
  const named = (tensors: readonly tf.Tensor[]) =>
    Object.fromEntries(names.map((name, i) => [name, tensors[i]!])) as Record<Name, tf.Tensor>;
  const specs = names.map((name) => inputs[name]);
  let compiled: ReturnType<typeof compile> | null = null;
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
        if (mode === 'eager') return tf.tidy(() => body(named(tensors)));
        compiled ??= compile((...traced) => body(named(traced)), specs, mode);
        return await compiled.call(tensors);
      } finally {
        tf.dispose(made);
      }
    },
    dispose: () => compiled?.dispose(),
  };
}
