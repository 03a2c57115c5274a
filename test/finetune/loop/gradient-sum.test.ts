import { expect, it } from 'vitest';
import { bucketsOf } from '../../../src/finetune/loop/gradient-sum.js';

it('buckets hold consecutive parameters up to the limit, and larger ones alone', () => {
  expect(bucketsOf([4, 4, 4, 20, 1, 1], 10)).toEqual([
    { from: 0, to: 2 },
    { from: 2, to: 3 },
    { from: 3, to: 4 },
    { from: 4, to: 6 },
  ]);
  expect(bucketsOf([20], 10)).toEqual([{ from: 0, to: 1 }]);
  expect(bucketsOf([], 10)).toEqual([]);
});

it('every parameter is in one bucket', () => {
  const sizes = Array.from({ length: 57 }, (_, i) => ((i * 37) % 23) + 1);
  const found = bucketsOf(sizes, 30).flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
  expect(found).toEqual(sizes.map((_, i) => i));
});
