import { expect, it } from 'vitest';
import { buffersOf } from '../../../src/finetune/batches/buffers.js';

it('buffersOf finds each buffer once, at any depth of a value', () => {
  const [one, two] = [new Int32Array(4), new Float32Array(2)];
  const value = {
    value: [
      { ids: one, documents: null, rows: 2 },
      { ids: one.subarray(1), weights: two },
    ],
    name: 'x',
  };
  expect(buffersOf(value)).toEqual([one.buffer, two.buffer]);
  expect(buffersOf(null)).toEqual([]);
});
