/**
 * @module Operations with gradients that tfjs-core lacks or does slowly. Each is one TensorFlow operation, or a few fused under one
 * gradient, so that the tape keeps little. All take and give float32 unless said otherwise. A gradient sees only what was handed to save(): tensors of
 * the forward pass, indices and tables included, are released before it runs.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Attribute, attribute } from './attributes.js';

/** What our backend and tfjs-node's share beyond tfjs-core's interface. */
interface RawBackend {
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly tf.TensorInfo[]): tf.TensorInfo;
  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): tf.TensorInfo[];
}

function wrap({ dataId, shape, dtype }: tf.TensorInfo): tf.Tensor {
  return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
}

/** Runs one TensorFlow operation by name, outside the gradient tape. */
export function rawOp(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly tf.Tensor[],
  outputs = 1,
): tf.Tensor[] {
  const backend = tf.backend() as unknown as RawBackend;
  return outputs === 1
    ? [wrap(backend.executeSingleOutput(name, attributes, inputs))]
    : backend.executeMultipleOutputs(name, attributes, inputs, outputs).map(wrap);
}

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

/** Rows of `x` [R, ...] at `ids` [N] -> [N, ...]. The gradient adds up the rows that were read. */
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
 * The element-wise maximum of the rows of `x` [N, ...] that share an id -> [count, ...]; a segment without rows gives zeros.
 * The gradient goes to the rows that hold the maximum, split evenly among ties (as torch.amax does).
 */
export function segmentMax(x: tf.Tensor, ids: tf.Tensor, count: number): tf.Tensor {
  return tf.customGrad((input, save) => {
    const rows = input as tf.Tensor;
    const raw = segment('Max', rows, ids, count);
    // TensorFlow fills an empty segment with the lowest float.
    const value = tf.where(tf.less(raw, -3e38), tf.zerosLike(raw), raw);
    (save as tf.GradSaveFunc)([rows, value, ids]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [savedRows, savedMax, savedIds] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      const hit = tf.cast(tf.equal(savedRows, rawGather(savedMax, savedIds)), 'float32');
      const share = tf.div(dy, tf.maximum(segment('Sum', hit, savedIds, count), 1));
      return tf.mul(hit, rawGather(share, savedIds));
    };
    return { value, gradFunc };
  })(x);
}

/** The segment-wise maximum without a gradient: the shift of a stable softmax. */
export function segmentShift(x: tf.Tensor, ids: tf.Tensor, count: number): tf.Tensor {
  return tf.customGrad((input) => ({
    value: rawGather(segment('Max', input as tf.Tensor, ids, count), ids),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }))(x);
}

/** x [N, H] scaled to unit root-mean-square over H and by `weight` [H] (blt-format 1.2: RMSNorm). */
export function rmsNorm(x: tf.Tensor, weight: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.customGrad((input, gain, save) => {
    const [rows, scale] = [input as tf.Tensor, gain as tf.Tensor];
    // Not rsqrt: TensorFlow approximates it on a CPU, which costs a digit of every logit.
    const inverse = tf.reciprocal(tf.sqrt(tf.add(tf.mean(tf.square(rows), -1, true), epsilon)));
    (save as tf.GradSaveFunc)([rows, scale, inverse]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [savedX, savedWeight, savedInverse] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      const normal = tf.mul(savedX, savedInverse);
      const dNormal = tf.mul(dy, savedWeight);
      const along = tf.mean(tf.mul(dNormal, normal), -1, true);
      return [tf.mul(savedInverse, tf.sub(dNormal, tf.mul(normal, along))), tf.sum(tf.mul(dy, normal), 0)];
    };
    return { value: tf.mul(tf.mul(rows, inverse), scale), gradFunc };
  })(x, weight);
}

/** silu(gate) * up, element-wise (SwiGLU's product). */
export function swiglu(gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  return tf.customGrad((a, b, save) => {
    const [g, u] = [a as tf.Tensor, b as tf.Tensor];
    (save as tf.GradSaveFunc)([g, u]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [savedGate, savedUp] = saved as [tf.Tensor, tf.Tensor];
      const sigmoid = tf.sigmoid(savedGate);
      const silu = tf.mul(savedGate, sigmoid);
      const slope = tf.add(sigmoid, tf.mul(silu, tf.sub(1, sigmoid)));
      return [tf.mul(tf.mul(dy, savedUp), slope), tf.mul(dy, silu)];
    };
    return { value: tf.mul(tf.mul(g, tf.sigmoid(g)), u), gradFunc };
  })(gate, up);
}

/**
 * softmax(q kT + mask) v. q [..., N, D] (already scaled), k and v [..., S, D], mask broadcast to [..., N, S] and added.
 * Saves the probabilities, not the scores.
 */
export function attend(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  return tf.customGrad((a, b, c, save) => {
    const [query, key, value] = [a as tf.Tensor, b as tf.Tensor, c as tf.Tensor];
    const probabilities = tf.softmax(tf.add(tf.matMul(query, key, false, true), mask));
    (save as tf.GradSaveFunc)([query, key, value, probabilities]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [sq, sk, sv, p] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const dp = tf.matMul(dy, sv, false, true);
      const ds = tf.mul(p, tf.sub(dp, tf.sum(tf.mul(dp, p), -1, true)));
      return [tf.matMul(ds, sk), tf.matMul(ds, sq, true, false), tf.matMul(p, dy, true, false)];
    };
    return { value: tf.matMul(probabilities, value), gradFunc };
  })(q, k, v);
}

const crossEntropyTypes = [attribute.type('T', 'float32'), attribute.type('Tlabels', 'int32')];

/** Cross-entropy in nats of each row: logits [N, V], labels int32 [N] -> [N]. No gradient. */
export function crossEntropyRows(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const [rows, slope] = rawOp('SparseSoftmaxCrossEntropyWithLogits', crossEntropyTypes, [logits, labels], 2);
  slope!.dispose();
  return rows!;
}

/** The weighted sum of cross-entropies in nats: sum_i weights[i] * -log softmax(logits[i])[labels[i]] -> scalar. */
export function crossEntropySum(logits: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  return tf.customGrad((input, save) => {
    const [rows, slope] = rawOp(
      'SparseSoftmaxCrossEntropyWithLogits',
      crossEntropyTypes,
      [input as tf.Tensor, labels],
      2,
    );
    (save as tf.GradSaveFunc)([slope!, weights]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf.mul(saved[0]!, tf.reshape(tf.mul(saved[1]!, dy), [weights.size, 1]));
    return { value: tf.sum(tf.mul(rows!, weights)), gradFunc };
  })(logits);
}
