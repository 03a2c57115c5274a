import { beforeAll, describe, expect, it } from 'vitest';
import { muonFlops } from '../../../src/blt/index.js';
import { createVariable, type Engine, startEngine, tf, withPrecision } from '../../../src/engine/index.js';
import { createParameterState, disposeParameterState } from '../../../src/finetune/optimizers/adamw.js';
import { orthogonalised, updateMuonParameter } from '../../../src/finetune/optimizers/muon.js';
import { everyWay, expectAlike, numbers, relativeDifference, taken } from '../../support/modes.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

type Matrix = readonly (readonly number[])[];
const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
const transposed = (a: Matrix): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!));
const matrixOf = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) => values[i * columns + j]!),
  );

/** Eigenvalues of a symmetric matrix, by Jacobi's rotations. */
function eigenvalues(symmetric: Matrix): number[] {
  const a = symmetric.map((row) => [...row]);
  for (let sweep = 0; sweep < 30; sweep++)
    for (let p = 0; p < a.length; p++)
      for (let q = p + 1; q < a.length; q++) {
        const angle = Math.atan2(2 * a[p]![q]!, a[q]![q]! - a[p]![p]!) / 2;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (const row of a) [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!];
        const [first, second] = [[...a[p]!], [...a[q]!]];
        a[p] = first.map((value, k) => c * value - s * second[k]!);
        a[q] = first.map((value, k) => s * value + c * second[k]!);
      }
  return a.map((row, i) => row[i]!);
}

/** Orthogonalisation in double precision, as Jordan describes it: five quintic steps, starting from the matrix divided by its Frobenius norm. */
function reference(x: Matrix): number[][] {
  const norm = Math.sqrt(x.flat().reduce((sum, value) => sum + value * value, 0));
  let y = x.map((row) => row.map((value) => value / norm));
  for (let step = 0; step < 5; step++) {
    const gram = product(y, transposed(y));
    const square = product(gram, gram);
    const factor = gram.map((row, i) => row.map((value, j) => -4.775 * value + 2.0315 * square[i]![j]!));
    const correction = product(factor, y);
    y = y.map((row, i) => row.map((value, j) => 3.4445 * value + correction[i]![j]!));
  }
  return y;
}

describe.each([
  [6, 6],
  [9, 4],
  [4, 9],
])('orthogonalised, for a %d by %d matrix,', (rows, columns) => {
  it('matches the published algorithm in every mode', async () => {
    const x = numbers([rows, columns], 3);
    const found = await everyWay((given) => [orthogonalised(given!)], [x]);
    const wanted = reference(matrixOf(x.dataSync(), columns)).flat();
    expect(relativeDifference(found.eager[0]!, wanted)).toBeLessThan(1e-4);
    expectAlike(found, 1e-4);
  });

  it('brings the singular values close to 1 and keeps the singular vectors', () => {
    // With the identity added, no singular value is small.
    const x = tf.tidy(() => tf.add(numbers([rows, columns], 5), tf.mul(2, tf.eye(rows, columns))));
    const y = matrixOf(taken([orthogonalised(x)])[0]!, columns);
    const small = rows <= columns ? product(y, transposed(y)) : product(transposed(y), y);
    for (const value of eigenvalues(small)) expect(Math.sqrt(value)).toBeGreaterThan(0.6);
    for (const value of eigenvalues(small)) expect(Math.sqrt(value)).toBeLessThan(1.3);
    // The result is U V' for x = U S V', so its product with x' is symmetric.
    const mixed = product(y, transposed(matrixOf(x.dataSync(), columns)));
    mixed.forEach((row, i) => {
      for (const [j, value] of row.entries()) expect(value).toBeCloseTo(mixed[j]![i]!, 3);
    });
  });
});

describe('updateMuonParameter', () => {
  const [rows, columns] = [8, 4];
  const [rate, scale, clip, weightDecay] = [0.01, 2, 0.5, 0.1];

  it.each([true, false])(
    'matches three steps of the published algorithm with decay %s, and leaks no tensor',
    (decay) => {
      const before = engine.liveHandles();
      const start = numbers([rows, columns], 1);
      const parameter = createParameterState('w', createVariable(start), {
        learningRateScale: scale,
        decay,
        optimizer: 'muon',
      });
      expect(parameter.second).toBeNull();
      let value = matrixOf(start.dataSync(), columns);
      let momentum = value.map((row) => row.map(() => 0));
      for (let step = 1; step <= 3; step++) {
        const gradient = numbers([rows, columns], 10 + step);
        const g = matrixOf(gradient.dataSync(), columns).map((row) => row.map((x) => x * clip));
        momentum = momentum.map((row, i) => row.map((m, j) => 0.95 * m + g[i]![j]!));
        const ahead = g.map((row, i) => row.map((x, j) => x + 0.95 * momentum[i]![j]!));
        // The matrix is tall, so the steps run on its transpose.
        const direction = transposed(reference(transposed(ahead)));
        value = value.map((row, i) =>
          row.map(
            (x, j) =>
              x * (1 - rate * scale * (decay ? weightDecay : 0)) - rate * scale * Math.SQRT2 * direction[i]![j]!,
          ),
        );
        const scalar = (x: number) => tf.scalar(x);
        tf.tidy(() => {
          const one = scalar(1);
          const scalars = {
            learningRate: scalar(rate),
            gradientScale: scalar(clip),
            firstCorrection: one,
            secondCorrection: one,
          };
          updateMuonParameter(parameter, gradient, scalars, { weightDecay });
        });
        gradient.dispose();
      }
      expect(relativeDifference(taken([parameter.value.read()])[0]!, value.flat())).toBeLessThan(1e-4);
      expect(relativeDifference(taken([parameter.first.read()])[0]!, momentum.flat())).toBeLessThan(1e-5);
      start.dispose();
      disposeParameterState(parameter);
      expect(engine.liveHandles()).toBe(before);
    },
  );
});

describe('Muon with less memory', () => {
  it.each(['bfloat16', '8-bit'] as const)('takes nearly the same step with its momentum in %s', (moments) => {
    const [shape, group] = [[8, 4], { learningRateScale: 1, decay: true, optimizer: 'muon' as const }];
    const start = numbers(shape, 1);
    const trainedWith = (stored: 'float32' | typeof moments) => {
      const parameter = createParameterState('w', createVariable(start), group, stored);
      tf.tidy(() => {
        const [learningRate, one] = [tf.scalar(0.01), tf.scalar(1)];
        const scalars = { learningRate, gradientScale: one, firstCorrection: one, secondCorrection: one };
        for (const salt of [11, 12, 13])
          updateMuonParameter(parameter, numbers(shape, salt), scalars, { weightDecay: 0.1 });
      });
      const [value, first] = [taken([parameter.value.read()])[0]!, taken([parameter.first.read()])[0]!];
      disposeParameterState(parameter);
      return { value, first };
    };
    const [exact, found] = [trainedWith('float32'), trainedWith(moments)];
    expect(relativeDifference(found.first, exact.first)).toBeLessThan(0.02);
    expect(relativeDifference(found.first, exact.first)).toBeGreaterThan(1e-4);
    expect(relativeDifference(found.value, exact.value)).toBeLessThan(1e-3);
    start.dispose();
  });

  it('orthogonalises with products in bfloat16 where a stage has them', async () => {
    const x = tf.tidy(() => tf.add(numbers([6, 9], 5), tf.mul(2, tf.eye(6, 9))));
    const narrow = await everyWay((given) => withPrecision('bfloat16', () => [orthogonalised(given!)]), [x]);
    const wanted = reference(matrixOf(x.dataSync(), 9)).flat();
    for (const found of Object.values(narrow)) {
      expect(relativeDifference(found[0]!, wanted)).toBeLessThan(0.1);
      expect(relativeDifference(found[0]!, wanted)).toBeGreaterThan(1e-4);
    }
    x.dispose();
  });
});

describe('muonFlops', () => {
  it('counts three matrix products per iteration, as computed by hand for 2 x 3 and 3 x 2', () => {
    const linear = { part: 'patcher', role: 'linear', initStd: 1 } as const;
    const flops = (shape: number[], name = 'model.patcher.layers.0.mlp.up_proj.weight') =>
      muonFlops([{ ...linear, name, shape }]);
    // The Gram matrix 2x3x2, its square 2x2x2, and factor times matrix 2x2x3. A multiply-add counts as 2.
    const wanted = 5 * 2 * (12 + 8 + 12);
    expect([flops([2, 3]), flops([3, 2]), flops([3, 2], 'model.patcher.lm_head.weight')]).toEqual([wanted, wanted, 0]);
  });
});
