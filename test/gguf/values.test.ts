import { expect, it } from 'vitest';
import { alikeIn, booleanIn, numberIn } from '../../src/gguf/index.js';

it.each<[unknown, number | null]>([
  [32, 32],
  [32n, 32],
  [-1n, -1],
  [0.5, 0.5],
  [2n ** 53n, null],
  [2n ** 64n - 1n, null],
  ['32', null],
  [true, null],
  [[32], null],
  [undefined, null],
])('%s as a number is %s', (value, number) => {
  expect(numberIn(value)).toBe(number);
});

it.each<[unknown, boolean | null]>([
  [true, true],
  [false, false],
  [1, true],
  [0n, false],
  [2, null],
  ['true', null],
  [undefined, null],
])('%s as a boolean is %s', (value, truth) => {
  expect(booleanIn(value)).toBe(truth);
});

it('a list of equal values is read as that value', () => {
  expect(alikeIn([8, 8, 8])).toBe(8);
  expect(alikeIn([8n])).toBe(8n);
  expect(alikeIn([8, 4])).toBeNull();
  expect(alikeIn([])).toBeNull();
  expect(alikeIn(8)).toBe(8);
});
