import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  attend,
  attribute,
  compile,
  createVariable,
  crossEntropyRows,
  crossEntropySum,
  type Engine,
  fuse,
  fusedOp,
  gatherRows,
  rawOp,
  rmsNorm,
  segmentMax,
  segmentShift,
  segmentSum,
  startEngine,
  swiglu,
  tf,
} from '../../src/engine/index.js';
import { COMPILED, everyWay, expectAlike, ints, numbers, taken, withGradients } from '../support/modes.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const ALIKE = 1e-5;

/** Documents 0 0 0 1 1 1 and 0 1 1 1 2 2; a query sees earlier positions of its own document. */
function documentMask(): tf.Tensor {
  const documents = [
    [0, 0, 0, 1, 1, 1],
    [0, 1, 1, 1, 2, 2],
  ];
  const hidden = documents.flatMap((row) =>
    row.flatMap((own, query) => row.map((other, key) => (key <= query && own === other ? 0 : -1e9))),
  );
  return tf.tensor(hidden, [2, 1, 6, 6]);
}

const float = (...shapes: number[][]) => shapes.map((shape, i) => numbers(shape, i + 1));

interface Case {
  readonly name: string;
  readonly f: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** The inputs that have gradients. */
  readonly varied: () => tf.Tensor[];
  /** The inputs that have none. */
  readonly fixed?: () => tf.Tensor[];
}

const segments = () => [ints([2, 0, 2, 2, 0])];

const cases: readonly Case[] = [
  { name: 'rmsNorm', f: (x, weight) => rmsNorm(x!, weight!, 1e-5), varied: () => float([5, 8], [8]) },
  { name: 'rmsNorm, another epsilon', f: (x, weight) => rmsNorm(x!, weight!, 0.5), varied: () => float([5, 8], [8]) },
  { name: 'swiglu', f: (gate, up) => swiglu(gate!, up!), varied: () => float([4, 6], [4, 6]) },
  {
    name: 'gatherRows',
    f: (x, ids) => gatherRows(x!, ids!),
    varied: () => float([4, 3]),
    fixed: () => [ints([3, 0, 3, 3, 1])],
  },
  { name: 'segmentSum', f: (x, ids) => segmentSum(x!, ids!, 4), varied: () => float([5, 3]), fixed: segments },
  { name: 'segmentMax', f: (x, ids) => segmentMax(x!, ids!, 4), varied: () => float([5, 3]), fixed: segments },
  {
    name: 'segmentMax with ties',
    f: (x, ids) => segmentMax(x!, ids!, 3),
    varied: () => tf.tidy(() => [tf.round(numbers([12, 3], 1))]),
    fixed: () => [ints([0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2])],
  },
  { name: 'segmentShift', f: (x, ids) => segmentShift(x!, ids!, 4), varied: () => float([5, 3]), fixed: segments },
  {
    name: 'attend, with documents and two query heads per key-value head',
    f: (q, k, v, mask) => attend(q!, k!, v!, mask!),
    varied: () => float([2, 3, 12, 4], [2, 3, 6, 4], [2, 3, 6, 4]),
    fixed: () => [documentMask()],
  },
  {
    name: 'attend, with one mask for all rows',
    f: (q, k, v, mask) => attend(q!, k!, v!, mask!),
    varied: () => float([2, 3, 6, 4], [2, 3, 6, 4], [2, 3, 6, 4]),
    fixed: () => [tf.slice(documentMask(), [0, 0, 0, 0], [1, 1, 6, 6])],
  },
  {
    name: 'crossEntropySum',
    f: (x, labels, weights) => crossEntropySum(x!, labels!, weights!),
    varied: () => float([4, 7]),
    fixed: () => [ints([6, 0, 3, 3]), tf.tensor1d([1, 0.5, 0, 2])],
  },
  {
    name: 'softmax and its logarithm',
    f: (x) => tf.mul(tf.softmax(x!), tf.logSoftmax(x!)),
    varied: () => float([3, 5]),
  },
  {
    name: 'broadcasting',
    f: (a, b) => tf.div(tf.mul(tf.add(a!, b!), a!), tf.sub(b!, 3)),
    varied: () => float([2, 1, 3], [4, 1]),
  },
  {
    name: 'concat and slice',
    f: (a, b) => tf.slice(tf.concat([a!, b!], 1), [1, 1], [1, 4]),
    varied: () => float([2, 3], [2, 2]),
  },
  {
    name: 'stack, transpose, reshape',
    f: (a, b) => tf.reshape(tf.transpose(tf.stack([a!, b!], 1)), [2, 6]),
    varied: () => float([6], [6]),
  },
  {
    name: 'mean, max and min',
    f: (x) => tf.sub(tf.mul(tf.mean(x!, 1), tf.max(x!, 1)), tf.min(x!, 1)),
    varied: () => float([3, 4]),
  },
];

describe('a compiled function computes what its operations compute', () => {
  it.each(cases)('for $name, and its gradients', async ({ f, varied, fixed }) => {
    const before = engine.liveHandles();
    const moved = varied();
    const inputs = [...moved, ...tf.tidy(() => fixed?.() ?? [])];
    const found = await everyWay(withGradients(f, moved.length), inputs);
    expect(found.eager[0]!.some((value) => value !== 0)).toBe(true);
    expectAlike(found, ALIKE);
    tf.dispose(inputs);
    expect(engine.liveHandles(), 'handles are left').toBe(before);
  });

  it('for operations without a gradient', async () => {
    const inputs = [numbers([4, 7], 1), ints([6, 0, 3, 3])];
    const found = await everyWay(
      (x, labels) => [
        crossEntropyRows(x!, labels!),
        tf.cast(tf.argMax(x!, 1), 'float32'),
        tf.where(tf.logicalAnd(tf.greater(x!, 0), tf.less(x!, 0.7)), x!, tf.zerosLike(x!)),
        tf.topk(x!, 3).values,
        tf.cumsum(x!, 1),
        tf.oneHot(labels! as tf.Tensor1D, 7),
        tf.pad(x!, [
          [1, 0],
          [0, 2],
        ]),
        rawOp('L2Loss', [attribute.type('T', 'float32')], [x!])[0]!,
      ],
      inputs,
    );
    expectAlike(found, ALIKE);
    tf.dispose(inputs);
  });

  // Counted by hand: rows of segment 0 are (1, -2), (1, -3); segment 1 has none; segment 2 is (-4, -4) twice.
  it.each(COMPILED)('for segmentMax, with ties and empty segments: %s', async (mode) => {
    const inputs = [tf.tensor2d([1, -2, 1, -3, -4, -4, -4, -4], [4, 2]), ints([0, 0, 2, 2])];
    const compiled = compile(
      (x, ids) => {
        const max = (rows: tf.Tensor) => segmentMax(rows, ids!, 3);
        return [max(x!), tf.grad((rows: tf.Tensor) => tf.sum(max(rows)))(x!)];
      },
      [
        { shape: [4, 2], dtype: 'float32' },
        { shape: [4], dtype: 'int32' },
      ],
    );
    const [value, gradient] = taken(await compiled.call(inputs, mode));
    expect([...value!]).toEqual([1, -2, 0, 0, -4, -4]);
    expect([...gradient!]).toEqual([0.5, 1, 0.5, 0, 0.5, 0.5, 0.5, 0.5]);
    compiled.dispose();
    tf.dispose(inputs);
  });
});

describe('fused operations', () => {
  it('become separate functions for other shapes and other keys', async () => {
    const scaled = (by: number, x: tf.Tensor) => fuse(`test scale ${by}`, [x], (y) => [tf.mul(y, by)])[0]!;
    const inputs = float([3], [2, 2]);
    const found = await everyWay((a, b) => [scaled(2, a!), scaled(3, a!), scaled(2, b!), scaled(2, a!)], inputs);
    expectAlike(found, 1e-6);
    expect(found.xla[1]![0]! / found.xla[0]![0]!).toBeCloseTo(1.5, 5);
    tf.dispose(inputs);
  });

  it('can be nested, and keep the gradients of the operations around them', async () => {
    const outer = (x: tf.Tensor, y: tf.Tensor) =>
      fusedOp('test outer', (a, b) => tf.mul(fuse('test inner', [a!], (z) => [tf.exp(z)])[0]!, b!), [x, y]);
    const inputs = float([3, 2], [2]);
    // outer() inside a chain: the operations before and after it are on the same tape.
    const found = await everyWay(
      withGradients((x, y) => tf.sin(outer(tf.square(x!), tf.mul(y!, y!))), 2),
      inputs,
    );
    expectAlike(found, ALIKE);
    tf.dispose(inputs);
  });

  it('give no gradient to constants, and the right one to an input that occurs twice', async () => {
    const op = (x: tf.Tensor, by: tf.Tensor) =>
      fusedOp('test twice', (a, b, c) => tf.mul(tf.mul(a!, b!), c!), [x, x], [by]);
    const inputs = float([4], [4]);
    const body = withGradients((x, by) => op(x!, by!), 1);
    const found = await everyWay(body, inputs);
    expectAlike(found, ALIKE);
    const [x, by, weight] = [...inputs, numbers([4], 9)].map((tensor) => tensor.dataSync());
    found.xla[1]!.forEach((slope, i) => {
      expect(slope).toBeCloseTo(2 * x![i]! * by![i]! * weight![i]!, 5);
    });
    tf.dispose(inputs);
  });
});

describe('compiled functions', () => {
  it('can return inputs, constants and scalars, and can have no inputs', async () => {
    const before = engine.liveHandles();
    const [x, k] = float([3], [2]) as [tf.Tensor, tf.Tensor];
    const found = await everyWay((input) => [input!, input!, k, tf.scalar(7), tf.fill([100], 2)], [x]);
    expectAlike(found, 1e-7);
    expectAlike(await everyWay(() => [tf.scalar(3), k], []), 1e-7);
    tf.dispose([x, k]);
    expect(engine.liveHandles()).toBe(before);
  });

  it('keep a constant’s value from the time of tracing', async () => {
    const k = tf.tensor1d([1, 2]);
    const compiled = compile((x) => [tf.add(x!, k)], [{ shape: [2], dtype: 'float32' }]);
    k.dispose();
    const zeros = tf.zeros([2]);
    for (const mode of COMPILED) expect([...taken(await compiled.call([zeros], mode))[0]!]).toEqual([1, 2]);
    zeros.dispose();
    compiled.dispose();
  });

  it('accept large constants if all values are equal', async () => {
    const before = engine.liveHandles();
    const large = tf.fill([2 * 2 ** 20], 0.5);
    const compiled = compile((x) => [tf.add(tf.sum(large), x!)], [{ shape: [], dtype: 'float32' }]);
    large.dispose();
    const one = tf.scalar(1);
    for (const mode of COMPILED) expect(taken(await compiled.call([one], mode))[0]![0]).toBe(2 ** 20 + 1);
    one.dispose();
    compiled.dispose();
    expect(engine.liveHandles()).toBe(before);
  });

  it('run concurrently with each other and with eager operations', async () => {
    const square = compile((x) => [tf.matMul(x!, x!)], [{ shape: [300, 300], dtype: 'float32' }]);
    const inputs = [1, 2, 3, 4].map((value) => tf.fill([300, 300], value));
    const calls = inputs.map((input, i) => square.call([input], COMPILED[i % 2]!));
    const eager = tf.tidy(() => tf.sum(tf.matMul(inputs[1]!, inputs[2]!)).dataSync()[0]);
    const sums = (await Promise.all(calls)).map((out) => taken(out)[0]![0]);
    expect(sums).toEqual([300, 1200, 2700, 4800]);
    expect(eager).toBe(300 ** 3 * 6);
    tf.dispose(inputs);
    square.dispose();
  });

  it.each(COMPILED)(
    'can be released with their variables while another thread compiles and runs them: %s',
    async (mode) => {
      const before = engine.liveHandles();
      for (let i = 0; i < 30; i++) {
        const zeros = tf.zeros([8, 8]);
        const weight = createVariable(zeros);
        const body = (x: tf.Tensor) => tf.tanh(tf.add(tf.matMul(x, weight.read()), i));
        const compiled = compile((x) => [body(body(body(x!)))], [{ shape: [8, 8], dtype: 'float32' }]);
        const [ahead, called] = [compiled.compileAhead(mode), compiled.call([zeros], mode)];
        await pause(i % 10);
        compiled.dispose();
        weight.dispose();
        await ahead;
        taken(await called);
        zeros.dispose();
      }
      expect(engine.liveHandles()).toBe(before);
    },
  );

  it.each(COMPILED)('do not block the event loop while they run: %s', async (mode) => {
    // 60 products of 1024 x 1024 matrices: 129 GFLOP, more than 300 ms on any two cores.
    const compiled = compile(
      (x) => {
        let y = x!;
        for (let i = 0; i < 60; i++) y = tf.mul(tf.matMul(y, x!), 1e-3);
        return [tf.sum(y)];
      },
      [{ shape: [1024, 1024], dtype: 'float32' }],
    );
    const input = tf.fill([1024, 1024], 1);
    const warm = await compiled.call([input], mode); // XLA compiles here
    let ended = false;
    const order: string[] = [];
    const timer = new Promise<void>((resolve) => {
      setTimeout(() => {
        order.push(ended ? 'timer after the call' : 'timer within the call');
        resolve();
      }, 1);
    });
    const begun = performance.now();
    const out = await compiled.call([input], mode);
    ended = true;
    order.push('call');
    const took = performance.now() - begun;
    await timer;
    expect(order, `the call took ${took.toFixed()} ms`).toEqual(['timer within the call', 'call']);
    tf.dispose([input, ...warm, ...out]);
    compiled.dispose();
  });
});
