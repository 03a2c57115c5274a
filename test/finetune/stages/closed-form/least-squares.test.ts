import { describe, expect, it } from 'vitest';
import { ByteifyError } from '../../../../src/errors.js';
import { addProducts, emptyProducts, principalDirections, ridge } from '../../../../src/finetune/index.js';

/** Accumulates the products of rows of features and targets. */
function productsOf(features: readonly number[][], targets: readonly number[][]) {
  const [n, t] = [features[0]!.length, targets[0]!.length];
  const products = emptyProducts(n, t);
  features.forEach((f, row) => {
    addProducts(products, {
      gram: f.flatMap((a) => f.map((b) => a * b)),
      cross: f.flatMap((a) => targets[row]!.map((b) => a * b)),
    });
  });
  return products;
}

describe('ridge', () => {
  it('recovers the weights that the targets were computed with', () => {
    const weights = [
      [1, -2, 0.5],
      [0, 3, 4],
    ];
    const features = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(2 * i), 1]);
    const targets = features.map((f) => weights.map((row) => row.reduce((sum, w, j) => sum + w * f[j]!, 0)));
    const found = ridge(productsOf(features, targets), 1e-9);
    weights.flat().forEach((weight, i) => {
      expect(found[i]).toBeCloseTo(weight, 5);
    });
  });

  it('shrinks weights by a share of the mean square of the features', () => {
    // Gram diag(4, 12), mean 8: a ridge of a half adds 4.
    const products = productsOf(
      [
        [2, 0],
        [0, Math.sqrt(12)],
      ],
      [[1], [1]],
    );
    const found = ridge(products, 0.5);
    expect(found[0]).toBeCloseTo(2 / 8, 6);
    expect(found[1]).toBeCloseTo(Math.sqrt(12) / 16, 6);
  });

  it.each([Number.NaN, 0])('refuses features of %s', (value) => {
    expect(() => ridge(productsOf([[value, value]], [[1]]), 1e-4)).toThrow(ByteifyError);
  });

  it('refuses targets that are not finite', () => {
    expect(() => ridge(productsOf([[1]], [[Number.NaN]]), 1e-4)).toThrow(/targets .* not finite/);
  });

  it('accepts a Gram matrix that is asymmetric by rounding', () => {
    // A product of float32 matrices may sum (i, j) and (j, i) in different orders.
    const products = emptyProducts(2, 1);
    addProducts(products, { gram: [2, 1 + 2 ** -23, 1, 2], cross: [3, 3] });
    expect(products.gram[1]).toBe(1 + 2 ** -24);
    expect(products.gram[2]).toBe(products.gram[1]);
    for (const weight of ridge(products, 1e-9)) expect(weight).toBeCloseTo(1, 6);
  });

  it('refuses dependent features whose ridge is lost in rounding', () => {
    const products = emptyProducts(2, 1);
    addProducts(products, { gram: [1, 1 + 2 ** -23, 1 + 2 ** -23, 1], cross: [1, 1] });
    expect(() => ridge(products, 1e-9)).toThrow(/a ridge of 1e-9 is lost in rounding/);
    for (const weight of ridge(products, 1e-4)) expect(weight).toBeCloseTo(0.5, 3);
  });
});

describe('principalDirections', () => {
  it('uses the symmetric part of a matrix that is asymmetric by rounding', () => {
    const half = (upper: number, lower: number) => principalDirections([3, upper, lower, 1], 2, 1);
    expect(half(1.5, 0.5)).toEqual(half(0.5, 1.5));
    expect(half(1.5, 0.5)).toEqual(half(1, 1));
  });

  it('returns unit eigenvectors, largest variance first', () => {
    const s = Math.SQRT1_2;
    // 9 along (1, 1, 0), 4 along the third axis, 1 along (1, -1, 0).
    const symmetric = Float64Array.from([5, 4, 0, 4, 5, 0, 0, 0, 4]);
    const found = principalDirections(symmetric, 3, 2);
    const sign = Math.sign(found[0]!);
    [s, s, 0].forEach((value, i) => {
      expect(sign * found[i]!).toBeCloseTo(value, 6);
    });
    [0, 0, 1].forEach((value, i) => {
      expect(Math.abs(found[3 + i]!)).toBeCloseTo(value, 6);
    });
  });
});
