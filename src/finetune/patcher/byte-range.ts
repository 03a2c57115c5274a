/** @module Positions whose value is in a range, as a mask. */
import { tf } from '../../engine/index.js';

/** 1 where a value is at least `from` and below `below`, else 0; float32 in the shape of `values`. */
export const inRange = (values: tf.Tensor, [from, below]: readonly [from: number, below: number]): tf.Tensor =>
  tf.cast(tf.logicalAnd(tf.greaterEqual(values, from), tf.less(values, below)), 'float32');
