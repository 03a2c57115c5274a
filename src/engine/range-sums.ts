/** @module Sums over ranges of a row as differences of cumulative sums: one pass, whatever the number of ranges. */
import * as tf from '@tensorflow/tfjs-core';
import { attribute } from './attributes.js';
import { DataType } from './data-type.js';
import { fuse } from './fuse.js';
import { castNative, rawOp } from './raw-op.js';
import { untaped } from './untaped.js';

const float64 = (name: string) => attribute.nativeType(name, DataType.float64);

/** Inclusive cumulative sums along the rows of `x` float32 [T, V] -> [T, V] in float64. */
function cumulativeSums(x: tf.Tensor): tf.Tensor {
  const axis = tf.scalar(1, 'int32');
  const types = [attribute.bool('exclusive', false), attribute.bool('reverse', false)];
  const wide = castNative(x, DataType.float32, DataType.float64);
  return rawOp('Cumsum', [...types, float64('T'), attribute.type('Tidx', 'int32')], [wide, axis])[0]!;
}

/** The sum of the first ends[n, b] values of row rows[n] -> float64 [N, B]. There is no column for an end of 0. */
function sumsUpTo(cumulative: tf.Tensor, rows: tf.Tensor, ends: tf.Tensor): tf.Tensor {
  const row = tf.broadcastTo(tf.expandDims(rows, 1), ends.shape);
  const last = tf.maximum(tf.sub(ends, tf.scalar(1, 'int32')), tf.scalar(0, 'int32'));
  const at = [float64('Tparams'), attribute.type('Tindices', 'int32')];
  const [sums] = rawOp('GatherNd', at, [cumulative, tf.stack([row, last], 2)]);
  const some = castNative(tf.greater(ends, tf.scalar(0, 'int32')), DataType.bool, DataType.float64);
  return rawOp('Mul', [float64('T')], [sums!, some])[0]!;
}

/** The computation of rangeSums. */
function differences(probabilities: tf.Tensor, rows: tf.Tensor, bounds: tf.Tensor): tf.Tensor {
  const cumulative = cumulativeSums(probabilities);
  const [count, ranges] = [bounds.shape[0]!, bounds.shape[1]! - 1];
  const upTo = (first: number) => sumsUpTo(cumulative, rows, tf.slice(bounds, [0, first], [count, ranges]));
  const [difference] = rawOp('Sub', [float64('T')], [upTo(1), upTo(0)]);
  // Cumulative sums that are computed in parts may decrease in the last digit.
  return tf.relu(castNative(difference!, DataType.float64, DataType.float32));
}

/**
 * Sums of probabilities over contiguous ranges: out[n, b] = sum of probabilities[rows[n], v] for bounds[n, b] <= v < bounds[n, b + 1].
 * Sums and differences are in float64, so the error of a range is about 1e-15 of its row's sum, however small the range. No gradient.
 * @param probabilities float32 [T, V], none negative. @param rows int32 [N]. @param bounds int32 [N, B + 1], ascending, up to V.
 * @returns float32 [N, B].
 */
export function rangeSums(probabilities: tf.Tensor, rows: tf.Tensor, bounds: tf.Tensor): tf.Tensor {
  // XLA's cumulative sum on a CPU is four times faster than TensorFlow's.
  const fused = (x: tf.Tensor) =>
    fuse('range sums', [x, rows, bounds], (p, row, at) => [differences(p!, row!, at!)])[0]!;
  return untaped(fused, probabilities);
}
