/** @module Rotary position embeddings (blt-format 1.2, 4.2). */
import type { RopeConfig } from '../blt/index.js';
import { fusedOp, tf } from '../engine/index.js';
import { ropeAngles } from './rope-angles.js';

/**
 * Which dimensions of a head rotate together: `interleaved` pairs (2j, 2j+1) in BLT and GGUF files,
 * `half` pairs (j, j + d/2) in Llama checkpoints of transformers.
 */
export type RopeLayout = 'interleaved' | 'half';

/** cos and sin of each position and pair: [length, headDim / 2], or [rows, length, headDim / 2] where rows stand at different positions. */
export interface RopeTable {
  readonly layout: RopeLayout;
  readonly cos: tf.Tensor;
  readonly sin: tf.Tensor;
}

/** The table of positions 0..length-1. */
export function ropeTable(
  rope: RopeConfig,
  length: number,
  headDim: number,
  layout: RopeLayout = 'interleaved',
): RopeTable {
  const { cos, sin } = ropeAngles(
    rope,
    Int32Array.from({ length }, (_, position) => position),
    headDim,
  );
  const shape: [number, number] = [length, headDim / 2];
  return { layout, cos: tf.tensor2d(cos, shape), sin: tf.tensor2d(sin, shape) };
}

/** Rotates x [rows, length, heads, headDim]. */
export function rotate(x: tf.Tensor, { layout, cos, sin }: RopeTable): tf.Tensor {
  const [rows, length, heads, headDim] = x.shape as [number, number, number, number];
  const half = headDim / 2;
  const interleaved = layout === 'interleaved';
  const [paired, pairAxis] = interleaved ? [[half, 2], 4] : [[2, half], 3];
  const own = cos.rank === 3 ? rows : 1;
  const table = interleaved ? [own, length, 1, half, 1] : [own, length, 1, 1, half];
  const [a, b] = tf.split(tf.reshape(x, [rows, length, heads, ...paired]), 2, pairAxis) as [tf.Tensor, tf.Tensor];
  const [c, s] = [tf.reshape(cos, table), tf.reshape(sin, table)];
  const turned = [tf.sub(tf.mul(a, c), tf.mul(b, s)), tf.add(tf.mul(b, c), tf.mul(a, s))];
  return tf.reshape(tf.concat(turned, pairAxis), x.shape);
}

/**
 * x [rows * length, heads * headDim] -> [rows, heads, length, headDim], rotated and multiplied by `scale`: what attention takes.
 */
export function rotatedHeads(
  x: tf.Tensor,
  shape: { readonly rows: number; readonly length: number; readonly heads: number; readonly scale: number },
  { layout, cos, sin }: RopeTable,
): tf.Tensor {
  const { rows, length, heads, scale } = shape;
  const headDim = x.shape[1]! / heads;
  const key = `heads ${rows} ${length} ${heads} ${scale} ${layout}`;
  const turn = (flat: tf.Tensor, c: tf.Tensor, s: tf.Tensor) => {
    const turned = rotate(tf.reshape(flat, [rows, length, heads, headDim]), { layout, cos: c, sin: s });
    return tf.transpose(scale === 1 ? turned : tf.mul(turned, scale), [0, 2, 1, 3]);
  };
  return fusedOp(key, turn, [x], [cos, sin]);
}
