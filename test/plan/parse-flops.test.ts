import { expect, it } from 'vitest';
import { parseFlops } from '../../src/plan/parse-flops.js';

it.each([
  ['4.1M', 4.1e6],
  ['2G', 2e9],
  ['750K', 750_000],
  ['5e8', 5e8],
  ['2.5e3T', 2.5e15],
  ['12', 12],
])('%s is %d FLOPs', (text, flops) => {
  expect(parseFlops(text)).toBe(flops);
});

it.each(['', 'M', '4.1m', '4,1M', '-2G', '1e400', '2 G', 'Infinity', '1e-3'])('%j is none', (text) => {
  expect(parseFlops(text)).toBeNull();
});
