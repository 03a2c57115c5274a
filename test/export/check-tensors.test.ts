import { describe, expect, it } from 'vitest';
import type { TensorSpec } from '../../src/blt/index.js';
import { checkTensors } from '../../src/export/check-tensors.js';
import type { TensorInfo } from '../../src/safetensors/index.js';

const spec = (name: string, ...shape: number[]): TensorSpec => ({
  name,
  shape,
  part: 'head',
  role: 'linear',
  initStd: 1,
});
const stored = (...tensors: [name: string, ...shape: number[]][]) =>
  new Map(tensors.map(([name, ...shape]): [string, TensorInfo] => [name, { name, dtype: 'F32', shape }]));

describe('checkTensors', () => {
  it('returns the tensors in the order of the format', () => {
    const found = checkTensors([spec('a', 1), spec('b', 2, 3)], stored(['b', 2, 3], ['a', 1]), 'x');
    expect(found.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it.each([
    [stored(['a', 1]), 'x lacks b.'],
    [stored(['a', 1], ['b', 2, 3], ['c', 1]), 'x contains c, which its config.json does not describe.'],
    [stored(['a', 1], ['b', 3, 2]), 'x has tensors of the wrong shape: b is [3, 2], not [2, 3].'],
    [
      stored(['a', 1, 1], ['c', 1]),
      'x lacks b; contains c, which its config.json does not describe; has tensors of the wrong shape: a is [1, 1], not [1].',
    ],
  ])('names what is wrong (%#)', (tensors, message) => {
    expect(() => checkTensors([spec('a', 1), spec('b', 2, 3)], tensors, 'x')).toThrow(message);
  });

  it('names a few and counts the rest', () => {
    const specs = ['a', 'b', 'c', 'd', 'e'].map((name) => spec(name, 1));
    expect(() => checkTensors(specs, stored(), 'x')).toThrow('x lacks a, b, c and 2 more.');
  });
});
