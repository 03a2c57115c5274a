import { beforeAll, describe, expect, it } from 'vitest';
import {
  attend,
  crossEntropyRows,
  crossEntropySum,
  gatherRows,
  rmsNorm,
  segmentMax,
  segmentShift,
  segmentSum,
  startEngine,
  swiglu,
  tf,
} from '../../src/engine/index.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

type Function = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Irregular numbers, away from zero. */
function values(shape: readonly number[], salt: number): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const numbers = Float32Array.from({ length: size }, (_, i) => {
    const wave = Math.sin(12.9898 * (i + 1) + 78.233 * salt);
    return Math.sign(wave || 1) * (0.2 + Math.abs(wave));
  });
  return tf.tensor(numbers, [...shape]);
}

const STEP = 1e-2;

/** Compares the gradient of a weighted sum of f with central differences, for every element of every input. */
function check(
  f: Function,
  shapes: readonly (readonly number[])[],
  prepare: (x: tf.Tensor) => tf.Tensor = (x) => x,
): void {
  tf.tidy(() => {
    const inputs = shapes.map((shape, i) => prepare(values(shape, i + 1)));
    const scalar = (...some: tf.Tensor[]): tf.Scalar => {
      const out = f(...some);
      return tf.sum(tf.mul(out, values(out.shape, 9))) as tf.Scalar;
    };
    const gradients = tf.grads(scalar as never)(inputs) as tf.Tensor[];
    inputs.forEach((input, which) => {
      expect(gradients[which]!.shape).toEqual(input.shape);
      const analytic = gradients[which]!.dataSync();
      const base = input.dataSync();
      for (let i = 0; i < base.length; i++) {
        const at = (shift: number) => {
          const moved = Float32Array.from(base);
          moved[i]! += shift;
          const changed = inputs.map((other, k) => (k === which ? tf.tensor(moved, input.shape) : other));
          return scalar(...changed).dataSync()[0]!;
        };
        const numeric = (at(STEP) - at(-STEP)) / (2 * STEP);
        const scale = Math.max(1, Math.abs(numeric));
        expect(
          Math.abs(analytic[i]! - numeric) / scale,
          `input ${which}, element ${i}: ${analytic[i]} is not ${numeric}`,
        ).toBeLessThan(1e-2);
      }
    });
  });
}

const absolute = (x: tf.Tensor) => tf.abs(x);
const ids = (...some: number[]) => tf.tensor1d(some, 'int32');

describe('gradients of tfjs-core’s kernels equal finite differences', () => {
  it.each<[string, Function, ((x: tf.Tensor) => tf.Tensor)?]>([
    ['abs', (x) => tf.abs(x)],
    ['cos', (x) => tf.cos(x)],
    ['exp', (x) => tf.exp(x)],
    ['log', (x) => tf.log(x), absolute],
    ['neg', (x) => tf.neg(x)],
    ['reciprocal', (x) => tf.reciprocal(x)],
    ['relu', (x) => tf.relu(x)],
    ['rsqrt', (x) => tf.rsqrt(x), absolute],
    ['sigmoid', (x) => tf.sigmoid(x)],
    ['sin', (x) => tf.sin(x)],
    ['softplus', (x) => tf.softplus(x)],
    ['sqrt', (x) => tf.sqrt(x), absolute],
    ['square', (x) => tf.square(x)],
    ['tanh', (x) => tf.tanh(x)],
    ['sum of an axis', (x) => tf.sum(x, 0)],
    ['sum of all', (x) => tf.sum(x)],
    ['mean of an axis, kept', (x) => tf.mean(x, -1, true)],
    ['max of an axis', (x) => tf.max(x, 1)],
    ['min of all', (x) => tf.min(x)],
    ['softmax', (x) => tf.softmax(x)],
    ['logSoftmax', (x) => tf.logSoftmax(x)],
    ['reshape', (x) => tf.reshape(x, [4, 3])],
    ['expandDims', (x) => tf.expandDims(x, 1)],
    ['transpose', (x) => tf.transpose(x, [1, 0])],
    ['broadcastTo', (x) => tf.broadcastTo(tf.reshape(x, [3, 1, 4]), [3, 2, 4])],
    ['slice', (x) => tf.slice(x, [1, 0], [2, 3])],
    ['concat', (x) => tf.concat([x, tf.square(x)], 1)],
    ['stack', (x) => tf.stack([x, tf.square(x)], 1)],
    ['split', (x) => tf.mul(tf.split(x, 2, 1)[0]!, tf.split(x, 2, 1)[1]!)],
    ['addN', (x) => tf.addN([x, tf.square(x), x])],
    ['gather with repeats', (x) => tf.gather(x, ids(2, 0, 2, 2))],
    ['segment sum', (x) => tf.unsortedSegmentSum(x, ids(1, 0, 1), 3)],
    ['where', (x) => tf.where(tf.greater(x, 0), tf.square(x), tf.mul(3, x))],
    ['cast', (x) => tf.mul(x, tf.cast(tf.greater(x, 0), 'float32'))],
    ['clone', (x) => tf.mul(tf.clone(x), x)],
  ])('%s', (_name, f, prepare) => check(f, [[3, 4]], prepare));

  it.each<[string, Function]>([
    ['add', (a, b) => tf.add(a, b)],
    ['sub', (a, b) => tf.sub(a, b)],
    ['mul', (a, b) => tf.mul(a, b)],
    ['div', (a, b) => tf.div(a, b)],
    ['squaredDifference', (a, b) => tf.squaredDifference(a, b)],
    ['maximum', (a, b) => tf.maximum(a, b)],
    ['minimum', (a, b) => tf.minimum(a, b)],
  ])('%s, broadcast either way', (_name, f) => {
    for (const shapes of [
      [
        [2, 3],
        [2, 3],
      ],
      [[2, 3], [3]],
      [
        [1, 3],
        [2, 1],
      ],
      [[], [2, 2]],
    ])
      check(f, shapes);
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('matMul, transposed %s %s', (transposeA, transposeB) => {
    const shapes = [transposeA ? [2, 4, 3] : [2, 3, 4], transposeB ? [2, 5, 4] : [2, 4, 5]];
    check((a, b) => tf.matMul(a, b, transposeA, transposeB), shapes);
    check(
      (a, b) => tf.matMul(a, b, transposeA, transposeB),
      shapes.map((shape) => shape.slice(1)),
    );
  });

  it('ties of a maximum share its gradient evenly', () => {
    const gradient = tf.grad((x: tf.Tensor) => tf.max(x))(tf.tensor1d([1, 3, 3, 2]));
    expect([...gradient.dataSync()]).toEqual([0, 0.5, 0.5, 0]);
  });

  it('are refused for a broadcast product, and for gather on another axis', () => {
    expect(() =>
      tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.matMul(a, b)))([tf.ones([2, 3, 4]), tf.ones([1, 4, 5])]),
    ).toThrow(/broadcast matrix product/);
    expect(() => tf.grad((a: tf.Tensor) => tf.sum(tf.gather(a, ids(0), 1)))(tf.ones([2, 3]))).toThrow(/axis 0 only/);
  });
});

describe('gradients of byteify’s own operations', () => {
  it('gatherRows', () => check((x) => gatherRows(x, ids(2, 0, 2)), [[3, 2]]));
  it('segmentSum', () => check((x) => segmentSum(x, ids(1, 0, 1), 3), [[3, 2]]));
  it('rmsNorm', () => check((x, weight) => rmsNorm(x, weight, 1e-5), [[3, 4], [4]]));
  it('swiglu', () =>
    check(swiglu, [
      [2, 3],
      [2, 3],
    ]));
  it('attend', () =>
    check(
      // two query heads share the key-value head
      (q, k, v) => attend(q, k, v, tf.tensor([0, -1e9, 0, 0], [1, 1, 2, 2])),
      [
        [2, 1, 4, 3],
        [2, 1, 2, 3],
        [2, 1, 2, 3],
      ],
    ));
  it('crossEntropySum', () => check((x) => crossEntropySum(x, ids(1, 0, 2), tf.tensor1d([1, 0, 2])), [[3, 4]]));
  it('crossEntropyRows', () => check((x) => crossEntropyRows(x, ids(1, 0, 2)), [[3, 4]]));
  it('segmentMax', () => check((x) => segmentMax(x, ids(1, 0, 1), 3), [[3, 2]]));

  it('segmentMax keeps negative maxima, gives zeros for empty segments, and splits ties', () => {
    const x = tf.tensor2d([[-5], [-2], [-2], [7]]);
    const to = ids(0, 0, 0, 2);
    expect([...segmentMax(x, to, 3).dataSync()]).toEqual([-2, 0, 7]);
    const gradient = tf.grad((input: tf.Tensor) => tf.sum(segmentMax(input, to, 3)))(x);
    expect([...gradient.dataSync()]).toEqual([0, 0.5, 0.5, 1]);
  });

  it('segmentShift is the maximum, with no gradient', () => {
    const x = tf.tensor2d([[1], [4], [2]]);
    expect([...segmentShift(x, ids(0, 0, 1), 2).dataSync()]).toEqual([4, 4, 2]);
    expect([
      ...tf
        .grad((input: tf.Tensor) => tf.sum(segmentShift(input, ids(0, 0, 1), 2)))(x)
        .dataSync(),
    ]).toEqual([0, 0, 0]);
  });

  it('crossEntropyRows is -log softmax at the label', () => {
    const found = crossEntropyRows(
      tf.tensor2d([
        [0, Math.log(3)],
        [5, 5],
      ]),
      ids(0, 1),
    ).dataSync();
    expect([...found]).toEqual([expect.closeTo(Math.log(4), 5), expect.closeTo(Math.log(2), 5)]);
  });
});
