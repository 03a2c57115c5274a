/** @module Rotary position embeddings (blt-format 1.2, 4.2). */
import { inverseFrequencies, type RopeConfig } from '../blt/index.js';
import { tf } from '../engine/index.js';

/**
 * Which dimensions of a head rotate together: `interleaved` pairs (2j, 2j+1) in BLT and GGUF files,
 * `half` pairs (j, j + d/2) in Llama checkpoints of transformers.
 */
export type RopeLayout = 'interleaved' | 'half';

/** cos and sin of each position and pair, shaped to broadcast over [rows, length, heads, ...]. */
export interface RopeTable {
  readonly layout: RopeLayout;
  readonly cos: tf.Tensor;
  readonly sin: tf.Tensor;
}

/** Angles of positions 0..length-1, in float32 at each step as transformers computes them. */
export function ropeTable(
  rope: RopeConfig,
  length: number,
  headDim: number,
  layout: RopeLayout = 'interleaved',
): RopeTable {
  const frequencies = Float32Array.from(inverseFrequencies(rope, headDim));
  const half = headDim / 2;
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let position = 0; position < length; position++) {
    for (let j = 0; j < half; j++) {
      const angle = Math.fround(position * frequencies[j]!);
      cos[position * half + j] = Math.cos(angle);
      sin[position * half + j] = Math.sin(angle);
    }
  }
  const shape = layout === 'interleaved' ? [1, length, 1, half, 1] : [1, length, 1, 1, half];
  return { layout, cos: tf.tensor(cos, shape), sin: tf.tensor(sin, shape) };
}

function turn(x: tf.Tensor, { layout, cos, sin }: RopeTable): tf.Tensor {
  const [rows, length, heads, headDim] = x.shape as [number, number, number, number];
  const pairAxis = layout === 'interleaved' ? 4 : 3;
  const paired = layout === 'interleaved' ? [headDim / 2, 2] : [2, headDim / 2];
  const [a, b] = tf.split(tf.reshape(x, [rows, length, heads, ...paired]), 2, pairAxis) as [tf.Tensor, tf.Tensor];
  const first = tf.sub(tf.mul(a, cos), tf.mul(b, sin));
  const second = tf.add(tf.mul(b, cos), tf.mul(a, sin));
  return tf.reshape(tf.concat([first, second], pairAxis), x.shape);
}

/** Rotates x [rows, length, heads, headDim]; the gradient is the rotation back. */
export function rotate(x: tf.Tensor, table: RopeTable): tf.Tensor {
  return tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([table.cos, table.sin]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      turn(dy, { layout: table.layout, cos: saved[0]!, sin: tf.neg(saved[1]!) });
    return { value: turn(input as tf.Tensor, table), gradFunc };
  })(x);
}
