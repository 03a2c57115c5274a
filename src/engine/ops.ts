/**
 * @module Operations with gradients that tfjs-core lacks or runs slowly. Each is one TensorFlow operation, or a few fused under one
 * gradient, so that the tape keeps little. All take and return float32 unless stated otherwise. A gradient can use only what was passed to
 * save(): tensors of the forward pass, including indices and tables, are released before it runs.
 */
import * as tf from '@tensorflow/tfjs-core';
import { attribute } from './attributes.js';
import { fuse, fusedOp } from './fuse.js';
import { productOperands } from './precision.js';
import { rawOp } from './raw-op.js';

const segmentTypes = [
  attribute.type('T', 'float32'),
  attribute.type('Tindices', 'int32'),
  attribute.type('Tnumsegments', 'int32'),
];

function segment(kind: 'Sum' | 'Max', x: tf.Tensor, ids: tf.Tensor, count: number): tf.Tensor {
  const size = tf.scalar(count, 'int32');
  const [out] = rawOp(`UnsortedSegment${kind}`, segmentTypes, [x, ids, size]);
  size.dispose();
  return out!;
}

const rawGather = (x: tf.Tensor, ids: tf.Tensor): tf.Tensor => tf.gather(x, ids as tf.Tensor1D);

/** Rows of `x` [R, ...] at `ids` [N] -> [N, ...]. The gradient sums over rows that were read more than once. */
export function gatherRows(x: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  const rows = x.shape[0]!;
  return tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([ids]);
    return {
      value: rawGather(input as tf.Tensor, ids),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => segment('Sum', dy, saved[0]!, rows),
    };
  })(x);
}

/** Sums the rows of `x` [N, ...] that share an id -> [count, ...]. */
export function segmentSum(x: tf.Tensor, ids: tf.Tensor, count: number): tf.Tensor {
  return tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([ids]);
    return {
      value: segment('Sum', input as tf.Tensor, ids, count),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => rawGather(dy, saved[0]!),
    };
  })(x);
}

/**
 * The element-wise maximum of the rows of `x` [N, ...] that share an id -> [count, ...]; a segment without rows yields zeros.
 * The gradient goes to the rows that attain the maximum, split evenly among ties (as torch.amax does).
 */
export function segmentMax(x: tf.Tensor, ids: tf.Tensor, count: number): tf.Tensor {
  return tf.customGrad((input, save) => {
    const rows = input as tf.Tensor;
    const raw = segment('Max', rows, ids, count);
    // TensorFlow fills an empty segment with the lowest float.
    const [value] = fuse('fill empty segments', [raw], (x) => [tf.where(tf.less(x, -3e38), tf.zerosLike(x), x)]);
    (save as tf.GradSaveFunc)([rows, value!, ids]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [savedRows, savedMax, savedIds] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      const [hit] = fuse('segment hits', [savedRows, rawGather(savedMax, savedIds)], (x, most) => [
        tf.cast(tf.equal(x, most), 'float32'),
      ]);
      const [share] = fuse('share of a tie', [dy, segment('Sum', hit!, savedIds, count)], (slope, hits) => [
        tf.div(slope, tf.maximum(hits, 1)),
      ]);
      return tf.mul(hit!, rawGather(share!, savedIds));
    };
    return { value: value!, gradFunc };
  })(x);
}

/** The segment-wise maximum without a gradient, used as the shift of a stable softmax. */
export function segmentShift(x: tf.Tensor, ids: tf.Tensor, count: number): tf.Tensor {
  return tf.customGrad((input) => ({
    value: rawGather(segment('Max', input as tf.Tensor, ids, count), ids),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }))(x);
}

/** x [N, H] scaled to unit root-mean-square over H and by `weight` [H] (blt-format 1.2: RMSNorm). */
export function rmsNorm(x: tf.Tensor, weight: tf.Tensor, epsilon: number): tf.Tensor {
  const normal = (rows: tf.Tensor, scale: tf.Tensor) => {
    // Not rsqrt: TensorFlow approximates it on a CPU, which costs one digit of every logit.
    const inverse = tf.reciprocal(tf.sqrt(tf.add(tf.mean(tf.square(rows), -1, true), epsilon)));
    return tf.mul(tf.mul(rows, inverse), scale);
  };
  return fusedOp(`rms norm ${epsilon}`, normal, [x, weight]);
}

/** silu(gate) * up, element-wise (SwiGLU's product). */
export function swiglu(gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  return fusedOp('swiglu', (g, u) => tf.mul(tf.mul(g, tf.sigmoid(g)), u), [gate, up]);
}

/**
 * softmax(q kT + mask) v. q [B, heads, repeat * N, D] (already scaled), k and v [B, heads, S, D]; mask [B or 1, 1, N, S] is added to
 * each of the `repeat` query heads of a key-value head. It keeps the probabilities for the backward pass, not the scores. Products use
 * the current precision, the softmax uses float32.
 */
export function attend(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  return tf.customGrad((a, b, c, save) => {
    const operands = productOperands();
    const [query, key, value] = [a, b, c].map((x) => operands.narrow(x as tf.Tensor)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const scores = operands.product(query, key, false, true);
    const probabilities = tf.softmax(masked(scores, mask));
    const weights = operands.narrow(probabilities);
    (save as tf.GradSaveFunc)([query, key, value, weights]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [sq, sk, sv, p] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const slope = operands.narrow(dy);
      const dp = operands.product(slope, sv, false, true);
      // Widen inside the fused function: outside it, the result would be computed and kept from the end of the forward pass on.
      const [ds] = fuse(`softmax gradient ${operands.precision}`, [p, dp], (narrow, d) => {
        const y = operands.widen(narrow);
        return [tf.mul(y, tf.sub(d, tf.sum(tf.mul(d, y), -1, true)))];
      });
      const dScores = operands.narrow(ds!);
      // aT b as (bT a)T: XLA's products on a CPU are three times slower when the larger operand is transposed.
      const transposed = (wide: tf.Tensor, slim: tf.Tensor) =>
        tf.transpose(operands.product(slim, wide, true, false), [0, 1, 3, 2]);
      return [operands.product(dScores, sk, false, false), transposed(dScores, sq), transposed(p, slope)];
    };
    return { value: operands.product(weights, value, false, false), gradFunc };
  })(q, k, v);
}

/**
 * y = x wT: x [N, in], w [out, in] -> [N, out], in the current precision. The weight is kept for the backward pass in its stored type,
 * which may be bfloat16.
 */
export function linear(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  return tf.customGrad((a, b, save) => {
    const operands = productOperands();
    const [input, matrix] = [operands.narrow(a as tf.Tensor), b as tf.Tensor];
    (save as tf.GradSaveFunc)([input, matrix]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [sx, sw] = saved as [tf.Tensor, tf.Tensor];
      const slope = operands.narrow(dy);
      return [operands.product(slope, operands.narrow(sw), false, false), operands.product(slope, sx, true, false)];
    };
    return { value: operands.product(input, operands.narrow(matrix), false, true), gradFunc };
  })(x, weight);
}

function masked(scores: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const [rows, heads, queries, keys] = scores.shape as [number, number, number, number];
  const [maskRows, , length] = mask.shape as [number, number, number, number];
  const [sum] = fuse('mask', [scores, mask], (x, y) => {
    const spread = tf.reshape(x, [rows, heads, queries / length, length, keys]);
    return [tf.reshape(tf.add(spread, tf.reshape(y, [maskRows, 1, 1, length, keys])), scores.shape)];
  });
  return sum!;
}

const crossEntropyTypes = [attribute.type('T', 'float32'), attribute.type('Tlabels', 'int32')];

/** Cross-entropy of each row in nats: logits [N, V], labels int32 [N] -> [N]. */
export function crossEntropyRows(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  return tf.customGrad((input, save) => {
    const name = 'SparseSoftmaxCrossEntropyWithLogits';
    const [rows, slope] = rawOp(name, crossEntropyTypes, [input as tf.Tensor, labels], 2);
    (save as tf.GradSaveFunc)([slope!]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0]!, tf.expandDims(dy, 1));
    return { value: rows!, gradFunc };
  })(logits);
}

/** The weighted sum of cross-entropies in nats: sum_i weights[i] * -log softmax(logits[i])[labels[i]] -> scalar. */
export function crossEntropySum(logits: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  return tf.sum(tf.mul(crossEntropyRows(logits, labels), weights));
}
