/** @module How a variable's values are stored: unchanged, or in fewer bits. Pure arithmetic on tensors. */
import * as tf from '@tensorflow/tfjs-core';
import { DataType } from './data-type.js';
import { castNative } from './raw-op.js';

/**
 * `int8-p2` and `int8-p4` store one code c in [-127, 127] per value and one scale per block of up to 256 values along the last axis. The
 * value is sign(c) (|c| / 127)^p times the block's largest magnitude. p = 2 spans 4 decades and suits first moments, p = 4 spans 8 and
 * suits second moments (the idea of Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization", with powers in place of its
 * table).
 */
export type Storage = 'float32' | 'bfloat16' | 'int8-p2' | 'int8-p4';

/** One of the tensors that make up a variable. */
export interface Part {
  readonly shape: readonly number[];
  /** A TF_DataType. */
  readonly dtype: number;
}

interface Codec {
  parts(shape: readonly number[]): Part[];
  encode(value: tf.Tensor): tf.Tensor[];
  decode(parts: readonly tf.Tensor[]): tf.Tensor;
}

const FLOAT32: Codec = {
  parts: (shape) => [{ shape, dtype: DataType.float32 }],
  encode: (value) => [tf.clone(value)],
  decode: ([part]) => part!,
};

const BFLOAT16: Codec = {
  parts: (shape) => [{ shape, dtype: DataType.bfloat16 }],
  encode: (value) => [castNative(value, DataType.float32, DataType.bfloat16)],
  decode: ([part]) => castNative(part!, DataType.bfloat16, DataType.float32),
};

const MAX_BLOCK = 256;
const LEVELS = 127;
/** Blocks of zeros are divided by this instead of by zero. */
const TINY = 1e-38;

/** Length of a block: the largest divisor of the last dimension that is at most 256. */
function blockOf(shape: readonly number[]): number {
  const width = shape.at(-1) ?? 1;
  let block = Math.min(MAX_BLOCK, width);
  while (width % block !== 0) block--;
  return block;
}

/** [..., C] as [..., blocks, block]. */
function blocked(shape: readonly number[]): number[] {
  const block = blockOf(shape);
  return [...shape.slice(0, -1), (shape.at(-1) ?? 1) / block, block];
}

const root = (x: tf.Tensor, power: 2 | 4): tf.Tensor => (power === 2 ? tf.sqrt(x) : tf.sqrt(tf.sqrt(x)));
const raised = (x: tf.Tensor, power: 2 | 4): tf.Tensor => (power === 2 ? tf.square(x) : tf.square(tf.square(x)));

const int8 = (power: 2 | 4): Codec => ({
  parts: (shape) => [
    { shape, dtype: DataType.int8 },
    { shape: blocked(shape).slice(0, -1), dtype: DataType.float32 },
  ],
  encode(value) {
    const magnitude = tf.reshape(tf.abs(value), blocked(value.shape));
    const scale = tf.max(magnitude, -1, true);
    const level = tf.mul(root(tf.div(magnitude, tf.maximum(scale, TINY)), power), LEVELS);
    // Nonzero values stay nonzero: a second moment of zero would divide by epsilon alone.
    const rounded = tf.maximum(tf.round(level), tf.cast(tf.greater(magnitude, 0), 'float32'));
    const codes = tf.mul(tf.reshape(rounded, value.shape), tf.sign(value));
    return [castNative(codes, DataType.float32, DataType.int8), tf.reshape(scale, blocked(value.shape).slice(0, -1))];
  },
  decode([codes, scale]) {
    const level = castNative(codes!, DataType.int8, DataType.float32);
    const magnitude = tf.reshape(raised(tf.div(tf.abs(level), LEVELS), power), blocked(level.shape));
    const scaled = tf.mul(magnitude, tf.reshape(scale!, [...scale!.shape, 1]));
    return tf.mul(tf.reshape(scaled, level.shape), tf.sign(level));
  },
});

export const CODECS: Readonly<Record<Storage, Codec>> = {
  float32: FLOAT32,
  bfloat16: BFLOAT16,
  'int8-p2': int8(2),
  'int8-p4': int8(4),
};
