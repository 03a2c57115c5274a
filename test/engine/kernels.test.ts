import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine, tf } from '../../src/engine/index.js';
import { KERNEL_NAMES } from '../../src/engine/kernels.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

/** Distinct nonzero numbers of both signs. */
const X = [0.3, -1.2, 2.5, 0.7, -0.4, 1.9];
const POSITIVE = [0.3, 1.2, 2.5, 0.7, 0.4, 1.9];
const x = () => tf.tensor(X, [2, 3]);
const positive = () => tf.tensor(POSITIVE, [2, 3]);
const row = () => tf.tensor1d([2, -1, 0.5]);
const ints = () => tf.tensor([5, -3, 2, 7, -8, 1], [2, 3], 'int32');
const flags = () => tf.tensor([1, 0, 1, 1, 0, 0], [2, 3], 'bool');
const map = (f: (value: number, i: number) => number, values = X) => values.map(f);
const pair = (f: (a: number, b: number) => number) => map((a, i) => f(a, [2, -1, 0.5][i % 3]!));
const bits = (some: readonly boolean[]) => some.map(Number);

/** A Gauss error function to float32's precision (Abramowitz and Stegun 7.1.5, the series). */
function erf(value: number): number {
  let [term, sum] = [value, value];
  for (let n = 1; n < 60; n++) {
    term *= -(value * value) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

type Case = readonly [make: () => tf.Tensor | tf.Tensor[], wanted: readonly number[], shape?: readonly number[]];

/** At least one case per kernel; the operation runs that kernel. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  Abs: [
    [() => tf.abs(x()), map(Math.abs)],
    [() => tf.abs(ints()), [5, 3, 2, 7, 8, 1]],
  ],
  Ceil: [[() => tf.ceil(x()), map(Math.ceil)]],
  Cos: [[() => tf.cos(x()), map(Math.cos)]],
  Erf: [[() => tf.erf(x()), map(erf)]],
  Exp: [[() => tf.exp(x()), map(Math.exp)]],
  Expm1: [[() => tf.expm1(x()), map(Math.expm1)]],
  Floor: [[() => tf.floor(x()), map(Math.floor)]],
  IsFinite: [[() => tf.isFinite(tf.tensor1d([1, Number.POSITIVE_INFINITY, Number.NaN])), [1, 0, 0]]],
  IsNan: [[() => tf.isNaN(tf.tensor1d([1, Number.POSITIVE_INFINITY, Number.NaN])), [0, 0, 1]]],
  Log: [[() => tf.log(positive()), map(Math.log, POSITIVE)]],
  Log1p: [[() => tf.log1p(positive()), map(Math.log1p, POSITIVE)]],
  Neg: [[() => tf.neg(x()), map((v) => -v)]],
  OnesLike: [[() => tf.onesLike(x()), map(() => 1)]],
  Reciprocal: [[() => tf.reciprocal(x()), map((v) => 1 / v)]],
  Relu: [[() => tf.relu(x()), map((v) => Math.max(0, v))]],
  Round: [[() => tf.round(tf.tensor1d([0.5, 1.5, 2.4, -0.5])), [0.5, 1.5, 2.4, -0.5].map(roundHalfEven)]],
  Rsqrt: [[() => tf.rsqrt(positive()), map((v) => v ** -0.5, POSITIVE)]],
  Sigmoid: [[() => tf.sigmoid(x()), map((v) => 1 / (1 + Math.exp(-v)))]],
  Sign: [[() => tf.sign(x()), map(Math.sign)]],
  Sin: [[() => tf.sin(x()), map(Math.sin)]],
  Softplus: [[() => tf.softplus(x()), map((v) => Math.log1p(Math.exp(v)))]],
  Sqrt: [[() => tf.sqrt(positive()), map(Math.sqrt, POSITIVE)]],
  Square: [[() => tf.square(x()), map((v) => v * v)]],
  Tanh: [[() => tf.tanh(x()), map(Math.tanh)]],
  ZerosLike: [[() => tf.zerosLike(x()), map(() => 0)]],
  LogicalNot: [[() => tf.logicalNot(flags()), [0, 1, 0, 0, 1, 1]]],
  Cast: [
    [() => tf.cast(x(), 'int32'), map(Math.trunc)],
    [() => tf.cast(flags(), 'float32'), [1, 0, 1, 1, 0, 0]],
  ],
  Identity: [[() => tf.clone(x()), X]],
  Add: [
    [() => tf.add(x(), row()), pair((a, b) => a + b)],
    [() => tf.add(tf.scalar(1), x()), map((v) => v + 1)],
  ],
  Sub: [[() => tf.sub(x(), row()), pair((a, b) => a - b)]],
  Multiply: [[() => tf.mul(x(), row()), pair((a, b) => a * b)]],
  RealDiv: [[() => tf.div(x(), row()), pair((a, b) => a / b)]],
  FloorDiv: [[() => tf.floorDiv(ints(), tf.scalar(2, 'int32')), [2, -2, 1, 3, -4, 0]]],
  Mod: [[() => tf.mod(ints(), tf.scalar(3, 'int32')), [2, 0, 2, 1, 1, 1]]],
  Pow: [[() => tf.pow(positive(), tf.scalar(2.5)), map((v) => v ** 2.5, POSITIVE)]],
  Maximum: [[() => tf.maximum(x(), row()), pair(Math.max)]],
  Minimum: [[() => tf.minimum(x(), row()), pair(Math.min)]],
  SquaredDifference: [[() => tf.squaredDifference(x(), row()), pair((a, b) => (a - b) ** 2)]],
  Equal: [[() => tf.equal(ints(), tf.scalar(2, 'int32')), [0, 0, 1, 0, 0, 0]]],
  NotEqual: [[() => tf.notEqual(ints(), tf.scalar(2, 'int32')), [1, 1, 0, 1, 1, 1]]],
  Greater: [[() => tf.greater(x(), 0.7), bits(X.map((v) => v > 0.7))]],
  GreaterEqual: [[() => tf.greaterEqual(ints(), tf.scalar(2, 'int32')), [1, 0, 1, 1, 0, 0]]],
  Less: [[() => tf.less(x(), 0), bits(X.map((v) => v < 0))]],
  LessEqual: [[() => tf.lessEqual(ints(), tf.scalar(2, 'int32')), [0, 1, 1, 0, 1, 1]]],
  LogicalAnd: [[() => tf.logicalAnd(flags(), tf.tensor1d([1, 1, 0], 'bool')), [1, 0, 0, 1, 0, 0]]],
  LogicalOr: [[() => tf.logicalOr(flags(), tf.tensor1d([0, 0, 1], 'bool')), [1, 0, 1, 1, 0, 1]]],
  Select: [[() => tf.where(flags(), x(), tf.zeros([2, 3])), map((v, i) => (i === 0 || i === 2 || i === 3 ? v : 0))]],
  AddN: [[() => tf.addN([x(), x(), x()]), map((v) => 3 * v)]],
  Sum: [
    [() => tf.sum(x()), [3.8], []],
    [() => tf.sum(x(), -1), [1.6, 2.2], [2]],
    [() => tf.sum(x(), 0, true), [1, -1.6, 4.4], [1, 3]],
    [() => tf.sum(tf.zeros([0, 3]), 0), [0, 0, 0], [3]],
  ],
  Mean: [
    [() => tf.mean(x(), 1), [1.6 / 3, 2.2 / 3], [2]],
    [() => tf.mean(x()), [3.8 / 6], []],
  ],
  Max: [[() => tf.max(x(), 1), [2.5, 1.9], [2]]],
  Min: [[() => tf.min(x(), 0, true), [0.3, -1.2, 1.9], [1, 3]]],
  Prod: [[() => tf.prod(x(), 1), [0.3 * -1.2 * 2.5, 0.7 * -0.4 * 1.9], [2]]],
  All: [[() => tf.all(flags(), 1), [0, 0]]],
  Any: [[() => tf.any(flags(), 1), [1, 1]]],
  ArgMax: [
    [() => tf.argMax(x(), 1), [2, 2], [2]],
    [() => tf.argMax(x(), 0), [1, 1, 0]],
  ],
  ArgMin: [[() => tf.argMin(x(), -1), [1, 1]]],
  Cumsum: [
    [() => tf.cumsum(x(), 1), [0.3, -0.9, 1.6, 0.7, 0.3, 2.2]],
    [() => tf.cumsum(x(), 1, true, true), [1.3, 2.5, 0, 1.5, 1.9, 0]],
  ],
  BatchMatMul: [
    [() => tf.matMul(x(), x(), false, true), [7.78, 5.44, 5.44, 4.26], [2, 2]],
    [
      () => tf.matMul(tf.stack([x(), x()]), tf.stack([x(), x()]), true, false),
      [...Array(2)].flatMap(() => [0.58, -0.64, 2.08, -0.64, 1.6, -3.76, 2.08, -3.76, 9.86]),
      [2, 3, 3],
    ],
  ],
  Softmax: [
    [
      () =>
        tf.softmax(
          tf.tensor2d([
            [0, Math.log(3)],
            [1, 1],
          ]),
        ),
      [0.25, 0.75, 0.5, 0.5],
    ],
  ],
  LogSoftmax: [[() => tf.logSoftmax(tf.tensor2d([[0, Math.log(3)]])), [Math.log(0.25), Math.log(0.75)]]],
  TopK: [
    [() => tf.topk(x(), 2).values, [2.5, 0.3, 1.9, 0.7], [2, 2]],
    [() => tf.topk(x(), 2).indices, [2, 0, 2, 0]],
  ],
  Reshape: [[() => tf.reshape(x(), [3, -1]), X, [3, 2]]],
  ExpandDims: [[() => tf.expandDims(x(), 1), X, [2, 1, 3]]],
  Transpose: [
    [() => tf.transpose(x()), [0.3, 0.7, -1.2, -0.4, 2.5, 1.9], [3, 2]],
    [() => tf.transpose(tf.reshape(x(), [1, 1, 1, 1, 2, 3]), [4, 5, 0, 1, 2, 3]), X, [2, 3, 1, 1, 1, 1]],
  ],
  BroadcastTo: [[() => tf.broadcastTo(tf.tensor2d([[1], [2]]), [2, 3]), [1, 1, 1, 2, 2, 2], [2, 3]]],
  Tile: [[() => tf.tile(row(), [2]), [2, -1, 0.5, 2, -1, 0.5], [6]]],
  Reverse: [[() => tf.reverse(x(), 1), [2.5, -1.2, 0.3, 1.9, -0.4, 0.7]]],
  Concat: [
    [() => tf.concat([x(), x()], 1), [...X.slice(0, 3), ...X.slice(0, 3), ...X.slice(3), ...X.slice(3)], [2, 6]],
    [() => tf.concat([x(), tf.zeros([0, 3])], 0), X, [2, 3]],
  ],
  Pack: [[() => tf.stack([row(), row()], 1), [2, 2, -1, -1, 0.5, 0.5], [3, 2]]],
  Unpack: [[() => tf.unstack(x(), 1), [0.3, 0.7, -1.2, -0.4, 2.5, 1.9]]],
  Slice: [[() => tf.slice(x(), [0, 1], [-1, 2]), [-1.2, 2.5, -0.4, 1.9], [2, 2]]],
  SplitV: [
    [() => tf.split(x(), [1, 2], 1), [0.3, 0.7, -1.2, 2.5, -0.4, 1.9]],
    [() => tf.split(x(), 2, 0), X],
  ],
  PadV2: [
    [() => tf.pad(row(), [[1, 2]], 9), [9, 2, -1, 0.5, 9, 9]],
    [
      () =>
        tf.pad(tf.slice(ints(), [0, 0], [1, 1]), [
          [0, 1],
          [0, 0],
        ]),
      [5, 0],
      [2, 1],
    ],
  ],
  Fill: [
    [() => tf.fill([2, 2], 1.5), [1.5, 1.5, 1.5, 1.5], [2, 2]],
    [() => tf.fill([3], 2, 'int32'), [2, 2, 2]],
    [() => tf.fill([2], 1, 'bool'), [1, 1]],
  ],
  Range: [
    [() => tf.range(1, 8, 3), [1, 4, 7]],
    [() => tf.range(0, 3, 1, 'int32'), [0, 1, 2]],
  ],
  OneHot: [[() => tf.oneHot(tf.tensor1d([1, 0], 'int32'), 3), [0, 1, 0, 1, 0, 0], [2, 3]]],
  GatherV2: [
    [() => tf.gather(x(), tf.tensor1d([1, 0, 1], 'int32')), [...X.slice(3), ...X.slice(0, 3), ...X.slice(3)], [3, 3]],
    [() => tf.gather(x(), tf.tensor1d([2], 'int32'), 1), [2.5, 1.9], [2, 1]],
  ],
  UnsortedSegmentSum: [
    [() => tf.unsortedSegmentSum(x(), tf.tensor1d([1, 1], 'int32'), 3), [0, 0, 0, 1, -1.6, 4.4, 0, 0, 0], [3, 3]],
  ],
};

describe('kernels', () => {
  it('all have a case here', () => {
    expect(Object.keys(CASES).sort()).toEqual([...KERNEL_NAMES].sort());
  });

  it.each(Object.entries(CASES))('%s', (_name, cases) => {
    for (const [make, wanted, shape] of cases) {
      const before = engine.liveHandles();
      tf.tidy(() => {
        const made = make();
        const found = (Array.isArray(made) ? made : [made]).flatMap((tensor) => [...tensor.dataSync()]);
        expect(found.length).toBe(wanted.length);
        wanted.forEach((value, i) => {
          expect(Math.abs(found[i]! - value), `${i}: ${found[i]} is not ${value}`).toBeLessThan(
            2e-6 * Math.max(1, Math.abs(value)),
          );
        });
        if (shape !== undefined) expect((made as tf.Tensor).shape).toEqual(shape);
      });
      expect(engine.liveHandles(), 'handles are left').toBe(before);
    }
  });
});

describe('tensors', () => {
  it('can be created from parts of larger buffers', () => {
    const part = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    expect([...tf.tensor1d(part).dataSync()]).toEqual([1, 2]);
  });

  it('of text are refused', () => {
    expect(() => tf.tensor1d(['a'])).toThrow(/does not support string tensors/);
  });

  it('cannot be used after they were disposed', () => {
    const gone = x();
    const info = { dataId: gone.dataId, shape: gone.shape, dtype: gone.dtype };
    gone.dispose();
    expect(() => tf.backend().readSync(info.dataId)).toThrow(/after it was disposed/);
  });

  it('keep NaN and infinities', () => {
    expect([...tf.add(tf.tensor1d([Number.NaN, Number.POSITIVE_INFINITY]), 1).dataSync()]).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('are all released, even a hundred thousand of them', () => {
    const before = engine.liveHandles();
    for (let i = 0; i < 100_000; i++) tf.scalar(i).dispose();
    expect(engine.liveHandles()).toBe(before);
  });

  it('of incompatible shapes cause an error that names the operation, and leak nothing', () => {
    const before = engine.liveHandles();
    expect(() =>
      tf.tidy(() =>
        tf.engine().runKernel('BatchMatMul', { a: x(), b: row() }, { transposeA: false, transposeB: false }),
      ),
    ).toThrow(/(TensorFlow failed in|OpenXLA cannot run) .*MatMul/);
    expect(engine.liveHandles()).toBe(before);
  });
});
