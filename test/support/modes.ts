/** Runs a function in every mode of the engine: operation by operation, as a graph, and compiled by XLA. */
import { expect } from 'vitest';
import { type CompileMode, compile, signatureOf, tf } from '../../src/engine/index.js';

export const COMPILED: readonly CompileMode[] = ['graph', 'xla'];
export const MODES = ['eager', ...COMPILED] as const;

export type Mode = (typeof MODES)[number];
export type Body = (...inputs: tf.Tensor[]) => readonly tf.Tensor[];

/** Irregular numbers of both signs, with magnitudes between 0.2 and 1.2. */
export function numbers(shape: readonly number[], salt: number): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    const wave = Math.sin(12.9898 * (i + 1) + 78.233 * salt);
    return Math.sign(wave || 1) * (0.2 + Math.abs(wave));
  });
  return tf.tensor(values, [...shape]);
}

export const ints = (values: readonly number[], shape: number[] = [values.length]): tf.Tensor =>
  tf.tensor([...values], shape, 'int32');

/** The values of tensors, which are released. */
export function taken(tensors: readonly tf.Tensor[]): Float32Array[] {
  const values = tensors.map((tensor) => Float32Array.from(tensor.dataSync()));
  tf.dispose([...tensors]);
  return values;
}

/** The results of `body` in each mode; it is traced once. The caller keeps the inputs. */
export async function everyWay(body: Body, inputs: readonly tf.Tensor[]): Promise<Record<Mode, Float32Array[]>> {
  const eager = taken(tf.tidy(() => body(...inputs).map((out) => tf.clone(out))));
  const compiled = compile(body, signatureOf(inputs));
  try {
    const graph = taken(await compiled.call(inputs, 'graph'));
    const xla = taken(await compiled.call(inputs, 'xla'));
    return { eager, graph, xla };
  } finally {
    compiled.dispose();
  }
}

/** The function and the gradients of a weighted sum of it for its first `varied` inputs. */
export function withGradients(f: (...inputs: tf.Tensor[]) => tf.Tensor, varied: number): Body {
  return (...inputs) => {
    const rest = inputs.slice(varied);
    const scalar = (...values: tf.Tensor[]): tf.Scalar => {
      const out = f(...values, ...rest);
      return tf.sum(tf.mul(out, numbers(out.shape, 9))) as tf.Scalar;
    };
    return [f(...inputs), ...tf.grads(scalar)(inputs.slice(0, varied))];
  };
}

/** The largest difference, relative to the largest expected value, or to `floor` if all are smaller and thus only rounding errors. */
export function relativeDifference(found: ArrayLike<number>, wanted: ArrayLike<number>, floor = 1e-6): number {
  let [worst, scale] = [found.length === wanted.length ? 0 : Number.POSITIVE_INFINITY, floor];
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(found[i]! - wanted[i]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    scale = Math.max(scale, Math.abs(wanted[i]!));
  }
  return worst / scale;
}

/** Expects every compiled result to equal the eager one, to `tolerance` of its largest value (or of `floor`). */
export function expectAlike(found: Record<Mode, Float32Array[]>, tolerance: number, floor?: number): void {
  for (const mode of COMPILED) {
    expect(found[mode].length).toBe(found.eager.length);
    found.eager.forEach((wanted, i) => {
      expect(relativeDifference(found[mode][i]!, wanted, floor), `result ${i} as ${mode}`).toBeLessThan(tolerance);
    });
  }
}
