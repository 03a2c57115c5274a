import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine, tf } from '../../../src/engine/index.js';
import {
  binaryCrossEntropySum,
  boundaryLoss,
  chunkLoss,
  embeddingLoss,
  prefixKl,
} from '../../../src/finetune/index.js';
import { byteLogProbabilities, entropyOf, sourceLogProbabilities } from '../../../src/model/index.js';
import { everyWay, ints, MODES, numbers, relativeDifference, withGradients } from '../../support/modes.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

const ALIKE = 1e-5;
const floats = (...values: number[]) => tf.tensor1d(values);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** The logarithm of a sum of exponentials. */
function logSum(x: readonly number[]): number {
  const most = Math.max(...x);
  return most + Math.log(sum(x.map((value) => Math.exp(value - most))));
}

const rowsOf = (x: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: x.length / width }, (_, n) => Array.from({ length: width }, (_, i) => x[n * width + i]!));

/** A loss of its first input, its definition in double precision, and its value computed by numpy. */
interface Case {
  readonly name: string;
  readonly f: (x: tf.Tensor, ...constants: tf.Tensor[]) => tf.Tensor;
  readonly inputs: () => tf.Tensor[];
  readonly reference: (x: readonly number[], ...constants: number[][]) => number[];
  /** Computed by numpy in float64 from the same inputs. */
  readonly golden: number[];
}

/** Rows of 256 probabilities, of which half are zero. The last row is padding. */
function marginals(): tf.Tensor {
  const q = rowsOf(numbers([3, 256], 2).dataSync(), 256).map((row) => row.map((value) => Math.max(0, value)));
  return tf.tensor2d(q.map((row, n) => row.map((value) => (n === 2 ? 0 : value / sum(row)))));
}

const tau = 5;
const chunkOf = [0, 0, 1, 1, 2, 3, 1];
const binaryKl = (u: number, v: number) =>
  Math.exp(u) * (u - v) - Math.expm1(u) * (Math.log(-Math.expm1(u)) - Math.log(-Math.expm1(v)));
const binaryCrossEntropy = (z: number, y: number) =>
  -y * Math.log(1 / (1 + Math.exp(-z))) + (1 - y) * Math.log1p(Math.exp(z));

const cases: readonly Case[] = [
  {
    // sum_n w_n sum_b q_nb (log q_nb - log softmax(x_n)[b + 4])
    name: 'prefixKl',
    f: (x, q, w) => prefixKl(x, q!, w!),
    inputs: () => [tf.mul(4, numbers([3, 260], 1)), marginals(), floats(1, 0.5, 2)],
    reference: (x, q, w) => [
      sum(
        rowsOf(x, 260).map((row, n) => {
          const total = logSum(row);
          const wanted = rowsOf(q!, 256)[n]!;
          return w![n]! * sum(wanted.map((of, b) => (of > 0 ? of * (Math.log(of) - row[b + 4]! + total) : 0)));
        }),
      ),
    ],
    golden: [2.8950937451492837],
  },
  {
    // sum_k w_k |s_k - t_k|^2 / (4 * 0.3)
    name: 'embeddingLoss',
    f: (x, t, w) => embeddingLoss(x, t!, w!, 0.3),
    inputs: () => [numbers([3, 4], 1), numbers([3, 4], 2), floats(1, 0, 0.5)],
    reference: (x, t, w) => [sum(x.map((value, i) => (w![i >> 2]! * (value - t![i]!) ** 2) / (4 * 0.3)))],
    golden: [13.677448296732416],
  },
  {
    // u, v = (sums of log-probabilities by chunk) / 5 - 1e-6;
    // sum_c w_c [e^u (u - v) + (1 - e^u) (log(1 - e^u) - log(1 - e^v))]; the sixth byte is in no chunk
    name: 'chunkLoss',
    f: (x, source, of, w) =>
      chunkLoss({
        studentLogProbabilities: x,
        sourceLogProbabilities: source!,
        chunkOfByte: of!,
        chunkWeights: w!,
        temperature: tau,
      }),
    inputs: () => [
      floats(-0.1, -2, -0.5, -3, -1e-4, -7, -0.25),
      floats(-0.2, -1, -0.7, -9, -1e-5, -0.01, -4),
      ints(chunkOf),
      floats(1, 0.5, 2),
    ],
    reference: (x, source, _of, w) => {
      const total = (of: readonly number[], c: number) => sum(of.filter((_, n) => chunkOf[n] === c)) / tau - 1e-6;
      return [sum([0, 1, 2].map((c) => w![c]! * binaryKl(total(source!, c), total(x, c))))];
    },
    golden: [0.24392778152175248],
  },
  {
    // z = (H - 1.35) / 0.25; sum w [max(z, 0) - z y + log(1 + e^-|z|)]
    name: 'boundaryLoss',
    f: (x, y, w) => boundaryLoss(x, y!, w!, { threshold: 1.35, temperature: 0.25 }),
    inputs: () => [floats(0.1, 1.3, 1.35, 2.9, 0.5, 6), floats(0, 1, 0, 1, 1, 1), floats(1, 1, 0.5, 2, 0.3, 0)],
    reference: (x, y, w) => [sum(x.map((h, n) => w![n]! * binaryCrossEntropy((h - 1.35) / 0.25, y![n]!)))],
    golden: [2.18533122473489],
  },
  {
    // sum w [max(z, 0) - z y + log(1 + e^-|z|)]
    name: 'binaryCrossEntropySum',
    f: (x, y, w) => binaryCrossEntropySum(x, y!, w!),
    inputs: () => [floats(-30, -2, 0, 3, 40, -80), floats(0, 1, 1, 0, 1, 1), floats(1, 2, 1, 0.5, 1, 0.25)],
    reference: (x, y, w) => [sum(x.map((z, n) => w![n]! * binaryCrossEntropy(z, y![n]!)))],
    golden: [26.471296878432856],
  },
  {
    // x[n, t_n] - log sum_v e^x[n, v]
    name: 'byteLogProbabilities',
    f: (x, targets) => byteLogProbabilities(x, targets!),
    inputs: () => [tf.mul(4, numbers([3, 260], 1)), ints([4, 259, 100])],
    reference: (x, targets) => rowsOf(x, 260).map((row, n) => row[targets![n]!]! - logSum(row)),
    golden: [-13.435202259702622, -7.866808931800133, -4.152248627963585],
  },
  {
    name: 'boundaryLoss of the entropy of logits',
    f: (x, y, w) => boundaryLoss(entropyOf(x), y!, w!, { threshold: 1.2, temperature: 0.25 }),
    inputs: () => [numbers([3, 4], 1), floats(1, 0, 1), floats(1, 2, 0.5)],
    reference: (x, y, w) => [
      sum(
        rowsOf(x, 4).map((row, n) => {
          const entropy = sum(row.map((value) => Math.exp(value - logSum(row)) * (logSum(row) - value)));
          return w![n]! * binaryCrossEntropy((entropy - 1.2) / 0.25, y![n]!);
        }),
      ),
    ],
    golden: [],
  },
];

describe('a loss', () => {
  it.each(cases)('$name has the value and derivative of its formula in every mode', async (given) => {
    const inputs = tf.tidy(given.inputs);
    const found = await everyWay(
      withGradients((x, ...constants) => given.f(x!, ...constants), 1),
      inputs,
    );
    const [x, ...constants] = inputs.map((input) => Array.from(input.dataSync()));
    const values = given.reference(x!, ...constants);
    given.golden.forEach((golden, i) => {
      expect(Math.abs(values[i]! / golden - 1)).toBeLessThan(1e-6);
    });
    // Central differences in double precision, for the weighted sum that withGradients differentiates.
    const weights = tf.tidy(() => Array.from(numbers(values.length === 1 ? [] : [values.length], 9).dataSync()));
    const at = (i: number, step: number) => {
      const shifted = [...x!];
      shifted[i]! += step;
      return sum(given.reference(shifted, ...constants).map((value, k) => value * weights[k]!));
    };
    const slopes = x!.map((_, i) => (at(i, 1e-7) - at(i, -1e-7)) / 2e-7);
    for (const mode of MODES) {
      expect(relativeDifference(found[mode][0]!, values), mode).toBeLessThan(ALIKE);
      expect(relativeDifference(found[mode][1]!, slopes), `slope, ${mode}`).toBeLessThan(2e-5);
    }
    tf.dispose(inputs);
  });

  it.each<[string, Case['f'], () => tf.Tensor[]]>([
    [
      'prefixKl',
      (x, w) => prefixKl(tf.outerProduct(x as tf.Tensor1D, tf.ones([260])), tf.fill([3, 256], 1 / 256), w!),
      () => [floats(3, 1, 2)],
    ],
    ['embeddingLoss', (x, w) => embeddingLoss(tf.expandDims(x, 1), tf.zeros([3, 1]), w!, 1), () => [floats(3, 1, 2)]],
    [
      'boundaryLoss',
      (x, w) => boundaryLoss(x, tf.ones([3]), w!, { threshold: 1, temperature: 1 }),
      () => [floats(3, 1, 2)],
    ],
    [
      'chunkLoss',
      (x, w) =>
        chunkLoss({
          studentLogProbabilities: x,
          sourceLogProbabilities: floats(-1, -1, -1),
          chunkOfByte: ints([0, 1, 2]),
          chunkWeights: w!,
          temperature: tau,
        }),
      () => [floats(-3, -2, -2)],
    ],
  ])('%s ignores rows of weight 0', (_name, f, inputs) => {
    tf.tidy(() => {
      const [x] = inputs() as [tf.Tensor];
      const weights = floats(1, 0, 1);
      const scalar = (y: tf.Tensor) => f(y, weights) as tf.Scalar;
      const other = tf.sub(x, floats(0, 0.5, 0));
      expect(scalar(other).dataSync()[0]).toBe(scalar(x).dataSync()[0]);
      const slopes = tf.grad(scalar)(x).dataSync();
      expect(Math.abs(slopes[1]!)).toBe(0);
      expect(slopes[0]).not.toBe(0);
    });
  });
});

describe('at the limits of float32', () => {
  const finite = (values: Float32Array[]) => values.every((some) => some.every((value) => Number.isFinite(value)));

  it('prefixKl is 0 with a derivative of 0 for a row of zeros, and finite for a nearly impossible byte', async () => {
    const logits = numbers([2, 260], 1)
      .dataSync()
      .map((value, i) => (i === 260 + 70 ? -900 : value));
    const q = new Float32Array(2 * 256);
    q[256 + 66] = 1;
    const inputs = [tf.tensor2d(logits, [2, 260]), tf.tensor2d(q, [2, 256]), floats(3, 1)];
    const found = await everyWay(
      withGradients((x, y, w) => prefixKl(x!, y!, w!), 1),
      inputs,
    );
    const other = rowsOf(logits, 260)[1];
    for (const mode of MODES) {
      expect(finite(found[mode]), mode).toBe(true);
      expect(found[mode][0]![0]! / (900 + logSum(other!)), mode).toBeCloseTo(1, 5);
      expect(
        found[mode][1]!.subarray(0, 260).every((slope) => Math.abs(slope) === 0),
        mode,
      ).toBe(true);
    }
    tf.dispose(inputs);
  });

  it('chunkLoss is finite for certain, impossible and empty chunks, and 0 where student and source agree', async () => {
    // Four chunks: both certain, with sums rounded above 0; only the student certain; only the source certain; no bytes.
    const inputs = [floats(1e-6, 0, -5000), floats(2e-6, -2000, 0), ints([0, 1, 2]), floats(1, 1, 1, 1)];
    const f = (x: tf.Tensor, source: tf.Tensor, of: tf.Tensor, w: tf.Tensor) =>
      chunkLoss({
        studentLogProbabilities: x,
        sourceLogProbabilities: source,
        chunkOfByte: of,
        chunkWeights: w,
        temperature: tau,
      });
    const found = await everyWay(
      withGradients((x, source, of, w) => f(x!, source!, of!, w!), 1),
      inputs,
    );
    const wanted = binaryKl(-2000 / tau - 1e-6, -1e-6) + binaryKl(-1e-6, -5000 / tau - 1e-6);
    for (const mode of MODES) {
      expect(finite(found[mode]), mode).toBe(true);
      expect(found[mode][0]![0]! / wanted, mode).toBeCloseTo(1, 5);
      expect(Math.abs(found[mode][1]![0]!), mode).toBe(0);
    }
    tf.dispose(inputs);
  });

  it('chunkLoss is accurate for improbable chunks', () => {
    tf.tidy(() => {
      const loss = chunkLoss({
        studentLogProbabilities: floats(-105),
        sourceLogProbabilities: floats(-100),
        chunkOfByte: ints([0]),
        chunkWeights: floats(1),
        temperature: tau,
      });
      // u = -20, v = -21: e^u (u - v) - e^u + e^v to first order.
      expect(loss.dataSync()[0]! / Math.exp(-21)).toBeCloseTo(1, 4);
    });
  });

  it('binaryCrossEntropySum is accurate for confident logits, and has a derivative at 0', () => {
    tf.tidy(() => {
      const loss = (z: tf.Tensor) => binaryCrossEntropySum(z, floats(1), floats(1)) as tf.Scalar;
      expect(loss(floats(15)).dataSync()[0]! / Math.log1p(Math.exp(-15))).toBeCloseTo(1, 5);
      expect(loss(floats(-800)).dataSync()[0]).toBe(800);
      expect(tf.grad(loss)(floats(0)).dataSync()[0]).toBeCloseTo(-0.5, 6);
    });
  });
});

describe('sourceLogProbabilities', () => {
  it('returns the log-probability of the target byte, at least log 1e-30, and accepts special ids', async () => {
    const q = new Float32Array(4 * 256);
    q.set([0.25], 65); // 'A' is id 69
    q.set([0.5], 256 + 255);
    const inputs = [tf.tensor2d(q, [4, 256]), ints([69, 259, 70, 0])];
    const found = await everyWay((x, ids) => [sourceLogProbabilities(x!, ids!)], inputs);
    const wanted = [Math.log(0.25), Math.log(0.5), Math.log(1e-30), Math.log(1e-30)];
    for (const mode of MODES) expect(relativeDifference(found[mode][0]!, wanted), mode).toBeLessThan(1e-6);
    tf.dispose(inputs);
  });

  it('has no gradient', () => {
    tf.tidy(() => {
      const loss = (q: tf.Tensor) => tf.sum(sourceLogProbabilities(q, ints([4]))) as tf.Scalar;
      expect(
        tf
          .grad(loss)(tf.fill([1, 256], 0.5))
          .dataSync()
          .every((slope) => slope === 0),
      ).toBe(true);
    });
  });
});
