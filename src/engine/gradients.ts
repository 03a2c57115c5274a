/**
 * @module Gradients of the tfjs-core kernels that this project differentiates. tfjs-core's build for Node contains none. These run entirely
 * on the device (tfjs-core's own build ones(shape) in JavaScript for Sum), and they reduce over the axes that the forward pass broadcast.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { KernelAttributes } from './kernel-attributes.js';

type Saved = tf.Tensor[];
interface Gradient {
  readonly inputs?: string[];
  readonly outputs?: boolean[];
  /** dy -> the gradient of each named input, lazily. */
  readonly gradient: (dy: tf.Tensor, saved: Saved, attrs: KernelAttributes) => Record<string, () => tf.Tensor>;
}

/** Sums dy over the axes along which a tensor of `shape` was broadcast, so that the result has that shape. */
function unbroadcast(dy: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const lead = dy.rank - shape.length;
  const axes = dy.shape.flatMap((extent, i) => (i < lead || (shape[i - lead] === 1 && extent !== 1) ? [i] : []));
  const summed = axes.length > 0 ? tf.sum(dy, axes) : dy;
  return tf.reshape(summed, [...shape]);
}

/** The shape of a reduction's result with the reduced axes kept as 1. */
function keptShape(shape: readonly number[], axis: number | number[] | null | undefined): number[] {
  const axes = axis === null || axis === undefined ? shape.map((_, i) => i) : tf.util.parseAxisParam(axis, [...shape]);
  return shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
}

/** A function of x alone whose derivative is a function of x. */
const ofInput = (derivative: (x: tf.Tensor) => tf.Tensor): Gradient => ({
  inputs: ['x'],
  gradient: (dy, [x]) => ({ x: () => tf.mul(dy, derivative(x!)) }),
});

/** A function of x alone whose derivative is a function of its result. */
const ofOutput = (derivative: (y: tf.Tensor) => tf.Tensor): Gradient => ({
  outputs: [true],
  gradient: (dy, [y]) => ({ x: () => tf.mul(dy, derivative(y!)) }),
});

/** A function of two inputs that may be broadcast. Each gradient is reduced to the input's own shape. */
const ofPair = (da: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor, db: typeof da): Gradient => ({
  inputs: ['a', 'b'],
  gradient: (dy, [a, b]) => ({
    a: () => unbroadcast(da(dy, a!, b!), a!.shape),
    b: () => unbroadcast(db(dy, a!, b!), b!.shape),
  }),
});

const zeroGradient: Gradient = { gradient: (dy) => ({ x: () => tf.zerosLike(dy) }) };

/** The result of a comparison has a zero gradient. */
const flatPair: Gradient = {
  inputs: ['a', 'b'],
  gradient: (_dy, [a, b]) => ({ a: () => tf.zeros(a!.shape), b: () => tf.zeros(b!.shape) }),
};

/** Max and Min pass dy to the extreme elements, split evenly among ties as torch.amax does. */
const ofExtreme: Gradient = {
  inputs: ['x'],
  outputs: [true],
  gradient: (dy, [x, y], { axis: ofMin, reductionIndices: ofMax }) => ({
    x: () => {
      const axis = ofMin ?? ofMax;
      const kept = keptShape(x!.shape, axis);
      const hit = tf.cast(tf.equal(x!, tf.reshape(y!, kept)), 'float32');
      const share = tf.div(tf.reshape(dy, kept), tf.sum(hit, axis ?? undefined, true));
      return tf.mul(hit, share);
    },
  }),
};

/** Batched products with equal batch shapes. Broadcasting would need sums that this project never needs. */
const ofMatMul: Gradient = {
  inputs: ['a', 'b'],
  gradient: (dy, [a, b], { transposeA, transposeB }) => {
    const da = () => (transposeA ? tf.matMul(b!, dy, transposeB, true) : tf.matMul(dy, b!, false, !transposeB));
    const db = () => (transposeB ? tf.matMul(dy, a!, true, transposeA) : tf.matMul(a!, dy, !transposeA, false));
    const checked = (make: () => tf.Tensor, shape: number[]) => () => {
      const grad = make();
      tf.util.assertShapesMatch(grad.shape, shape, 'the gradient of a broadcast matrix product is not defined: ');
      return grad;
    };
    return { a: checked(da, a!.shape), b: checked(db, b!.shape) };
  },
};

const GRADIENTS: Record<string, Gradient> = {
  Identity: { gradient: (dy) => ({ x: () => tf.clone(dy) }) },
  Cast: { gradient: (dy) => ({ x: () => tf.cast(dy, 'float32') }) },
  Abs: ofInput((x) => tf.sign(x)),
  Cos: ofInput((x) => tf.neg(tf.sin(x))),
  Exp: ofOutput((y) => y),
  Log: ofInput((x) => tf.reciprocal(x)),
  Neg: { gradient: (dy) => ({ x: () => tf.neg(dy) }) },
  Reciprocal: ofOutput((y) => tf.neg(tf.square(y))),
  Relu: ofOutput((y) => tf.cast(tf.greater(y, 0), 'float32')),
  Rsqrt: ofOutput((y) => tf.mul(-0.5, tf.mul(y, tf.square(y)))),
  Sigmoid: ofOutput((y) => tf.mul(y, tf.sub(1, y))),
  Sin: ofInput((x) => tf.cos(x)),
  Softplus: ofInput((x) => tf.sigmoid(x)),
  Sqrt: ofOutput((y) => tf.div(0.5, y)),
  Square: ofInput((x) => tf.mul(2, x)),
  Tanh: ofOutput((y) => tf.sub(1, tf.square(y))),
  Floor: zeroGradient,
  Ceil: zeroGradient,
  Round: zeroGradient,
  Sign: zeroGradient,
  ZerosLike: zeroGradient,
  OnesLike: zeroGradient,

  Add: ofPair(
    (dy) => dy,
    (dy) => dy,
  ),
  Sub: ofPair(
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),
  Multiply: ofPair(
    (dy, _a, b) => tf.mul(dy, b),
    (dy, a) => tf.mul(dy, a),
  ),
  RealDiv: ofPair(
    (dy, _a, b) => tf.div(dy, b),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, a), tf.square(b))),
  ),
  SquaredDifference: ofPair(
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
  ),
  Maximum: ofPair(
    (dy, a, b) => tf.mul(dy, tf.cast(tf.greaterEqual(a, b), 'float32')),
    (dy, a, b) => tf.mul(dy, tf.cast(tf.less(a, b), 'float32')),
  ),
  Minimum: ofPair(
    (dy, a, b) => tf.mul(dy, tf.cast(tf.lessEqual(a, b), 'float32')),
    (dy, a, b) => tf.mul(dy, tf.cast(tf.greater(a, b), 'float32')),
  ),
  Equal: flatPair,
  NotEqual: flatPair,
  Greater: flatPair,
  GreaterEqual: flatPair,
  Less: flatPair,
  LessEqual: flatPair,
  Select: {
    inputs: ['condition'],
    gradient: (dy, [condition]) => ({
      condition: () => tf.zeros(condition!.shape),
      t: () => tf.where(tf.broadcastTo(condition!, dy.shape), dy, tf.zerosLike(dy)),
      e: () => tf.where(tf.broadcastTo(condition!, dy.shape), tf.zerosLike(dy), dy),
    }),
  },

  Sum: {
    inputs: ['x'],
    gradient: (dy, [x], { axis }) => ({ x: () => tf.broadcastTo(tf.reshape(dy, keptShape(x!.shape, axis)), x!.shape) }),
  },
  Mean: {
    inputs: ['x'],
    gradient: (dy, [x], { axis }) => ({
      x: () => tf.div(tf.broadcastTo(tf.reshape(dy, keptShape(x!.shape, axis)), x!.shape), x!.size / dy.size),
    }),
  },
  Max: ofExtreme,
  Min: ofExtreme,
  BatchMatMul: ofMatMul,
  Softmax: {
    outputs: [true],
    gradient: (dy, [y]) => ({
      logits: () => {
        const weighted = tf.mul(dy, y!);
        return tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), y!));
      },
    }),
  },
  LogSoftmax: {
    outputs: [true],
    gradient: (dy, [y]) => ({ logits: () => tf.sub(dy, tf.mul(tf.sum(dy, -1, true), tf.exp(y!))) }),
  },

  Reshape: { inputs: ['x'], gradient: (dy, [x]) => ({ x: () => tf.reshape(dy, x!.shape) }) },
  ExpandDims: { inputs: ['input'], gradient: (dy, [x]) => ({ input: () => tf.reshape(dy, x!.shape) }) },
  BroadcastTo: { inputs: ['x'], gradient: (dy, [x]) => ({ x: () => unbroadcast(dy, x!.shape) }) },
  Tile: {
    inputs: ['x'],
    gradient: (dy, [x], { reps }) => ({
      // [r0, n0, r1, n1, ...]: the copies of each axis come before it and are summed
      x: () => {
        const spread = x!.shape.flatMap((extent, i) => [reps[i]!, extent]);
        return tf.sum(
          tf.reshape(dy, spread),
          x!.shape.map((_, i) => 2 * i),
        );
      },
    }),
  },
  Transpose: {
    gradient: (dy, _saved, { perm }) => ({
      x: () =>
        tf.transpose(
          dy,
          perm.map((_, i) => perm.indexOf(i)),
        ),
    }),
  },
  Slice: {
    inputs: ['x'],
    gradient: (dy, [x], { begin }) => ({
      x: () =>
        tf.pad(
          dy,
          x!.shape.map((extent, i) => [begin[i]!, extent - begin[i]! - dy.shape[i]!] as [number, number]),
        ),
    }),
  },
  GatherV2: {
    inputs: ['x', 'indices'],
    gradient: (dy, [x, indices], { axis }) => ({
      x: () => {
        if (axis !== 0) throw new Error('the gradient of gather is defined for axis 0 only');
        const rows = tf.reshape(indices!, [indices!.size]) as tf.Tensor1D;
        const flat = tf.reshape(dy, [indices!.size, x!.size / x!.shape[0]!]);
        return tf.reshape(tf.unsortedSegmentSum(flat, rows, x!.shape[0]!), x!.shape);
      },
      indices: () => tf.zerosLike(indices!),
    }),
  },
  UnsortedSegmentSum: {
    inputs: ['segmentIds'],
    gradient: (dy, [ids]) => ({ x: () => tf.gather(dy, ids as tf.Tensor1D) }),
  },
};

// Kernels whose inputs are a list: tfjs keys them by position.
const attributesOf = (attrs: tf.NamedAttrMap | undefined) => attrs as unknown as KernelAttributes;
const LIST_GRADIENTS: readonly tf.GradConfig[] = [
  {
    kernelName: 'AddN',
    saveAllInputs: true,
    gradFunc: (dy, saved) => Object.fromEntries(saved.map((_, i) => [i, () => tf.clone(dy as tf.Tensor)])),
  },
  {
    kernelName: 'Concat',
    saveAllInputs: true,
    gradFunc: (dy, saved, attrs) => {
      const axis = tf.util.parseAxisParam(attributesOf(attrs).axis, saved[0]!.shape)[0]!;
      const parts = tf.split(
        dy as tf.Tensor,
        saved.map((part) => part.shape[axis]!),
        axis,
      );
      return Object.fromEntries(parts.map((part, i) => [i, () => part]));
    },
  },
  {
    kernelName: 'Pack',
    saveAllInputs: true,
    gradFunc: (dy, _saved, attrs) =>
      Object.fromEntries(tf.unstack(dy as tf.Tensor, attributesOf(attrs).axis).map((part, i) => [i, () => part])),
  },
  {
    kernelName: 'SplitV',
    gradFunc: (dy, _saved, attrs) => ({ x: () => tf.concat(dy as tf.Tensor[], attributesOf(attrs).axis) }),
  },
];

/** Registers every gradient with tfjs-core, replacing any registered before. */
export function registerGradients(): void {
  for (const [kernelName, { inputs, outputs, gradient }] of Object.entries(GRADIENTS)) {
    tf.registerGradient({
      kernelName,
      ...(inputs && { inputsToSave: inputs }),
      ...(outputs && { outputsToSave: outputs }),
      gradFunc: (dy, saved, attrs) => gradient(dy as tf.Tensor, saved, attributesOf(attrs)),
    });
  }
  for (const config of LIST_GRADIENTS) tf.registerGradient(config);
}
