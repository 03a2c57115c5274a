import { expect, it } from 'vitest';
import { maxDifference, relativeDifference, samePatches, worstOf } from '../../scripts/check-gpu/differences.mjs';

it('the largest difference is found at any length and is never hidden by a NaN', () => {
  expect(maxDifference([1, 2, 3], [1, 2.5, 2.75])).toBe(0.5);
  expect(maxDifference([1, 2], [1])).toBe(Number.POSITIVE_INFINITY);
  expect(maxDifference([Number.NaN, 5], [1, 5])).toBeNaN();
  expect(maxDifference([1, Number.NaN, 9], [0, 5, 5])).toBeNaN();
  expect(relativeDifference([9, 1], [10, 1])).toBeCloseTo(0.1, 6);
  expect(worstOf([1, Number.NaN, 3])).toBeNaN();
  expect(worstOf([])).toBe(0);
});

it('patches are compared in transformers’ form: padded, and one position short', () => {
  expect(samePatches([1, 3, 2], [1, 3, 1])).toBe(true);
  expect(samePatches([1, 3, 1], [1, 3, 0, -1, 0, 0])).toBe(true);
  expect(samePatches([1, 2, 3], [1, 3, 1])).toBe(false);
  expect(samePatches([1, 3], [1, 3, 1])).toBe(false);
});
