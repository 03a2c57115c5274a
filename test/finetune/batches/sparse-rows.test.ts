import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sparseRows } from '../../../src/finetune/batches/sparse-rows.js';

const SPARE = 3_000_012;

describe('sparseRows', () => {
  it('lists distinct rows in the order of first use, and the position of each entry', () => {
    // A few small values repeat often; multiples of a power of two collide in weak hash functions.
    const row = fc.oneof(
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: SPARE - 1 }),
      fc.integer({ min: 0, max: 700 }).map((i) => i * 4096),
    );
    const list = fc.array(row, { maxLength: 60 }).map((rows) => Int32Array.from(rows));
    fc.assert(
      fc.property(fc.array(list, { maxLength: 4 }), (lists) => {
        const { indices, count, positions } = sparseRows(lists, SPARE);
        const all = lists.flatMap((some) => [...some]);
        const distinct = [...new Set(all)];
        expect(count).toBe(distinct.length);
        expect([...indices]).toEqual([...distinct, ...Array(all.length - count).fill(SPARE)]);
        expect(positions.map((some) => [...some].map((position) => indices[position]))).toEqual(
          lists.map((some) => [...some]),
        );
      }),
    );
  });

  it('is never longer than the table, however many entries there are', () => {
    const { indices, count, positions } = sparseRows([Int32Array.of(2, 0, 2, 1, 0), Int32Array.of(0, 0)], 3);
    expect([[...indices], count]).toEqual([[2, 0, 1], 3]);
    expect(positions.map((some) => [...some])).toEqual([
      [0, 1, 0, 2, 1],
      [1, 1],
    ]);
    expect([...sparseRows([Int32Array.of(1, 1, 1, 1)], 3).indices]).toEqual([1, 3, 3]);
  });
});
