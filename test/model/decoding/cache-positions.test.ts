import { describe, expect, it } from 'vitest';
import type { TransformerConfig } from '../../../src/blt/index.js';
import { cachePositions, keptRows, rollingCapacity } from '../../../src/model/decoding/cache-positions.js';

const config = (window: number | null): TransformerConfig => ({
  hiddenSize: 8,
  layers: 1,
  heads: 2,
  kvHeads: 2,
  intermediateSize: 8,
  rmsNormEps: 1e-5,
  rope: { type: 'default', theta: 10_000 },
  maxPositions: 64,
  window,
});

const starts = (...positions: number[]) => positions.map((start, slot) => ({ slot, start }));

/** The positions that a query sees in a simulated ring buffer, whose entries hold the last position written to them. */
function seen(mask: Float32Array, capacity: number, last: number): number[] {
  return Array.from({ length: capacity }, (_, slot) => last - ((((last - slot) % capacity) + capacity) % capacity))
    .filter((position) => mask[((position % capacity) + capacity) % capacity] === 0)
    .sort((a, b) => a - b);
}

describe('positions in a cache', () => {
  it('show a query the keys of its window, wherever the sequence continues', () => {
    const [window, count] = [5, 3];
    const capacity = rollingCapacity(window, count);
    for (let start = 0; start < 40; start++) {
      const { mask } = cachePositions(config(window), starts(start), count, capacity);
      for (let i = 0; i < count; i++) {
        const query = mask.subarray(i * capacity, (i + 1) * capacity);
        const position = start + i;
        const first = Math.max(0, position - window + 1);
        const wanted = Array.from({ length: position - first + 1 }, (_, j) => first + j);
        expect(seen(query, capacity, start + count - 1)).toEqual(wanted);
      }
    }
  });

  it('show a query all earlier keys if there is no window', () => {
    const { mask } = cachePositions(config(null), starts(6), 2, 16);
    expect(seen(mask.subarray(0, 16), 16, 7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(seen(mask.subarray(16), 16, 7)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('give every head and slot separate rows', () => {
    const capacity = 7;
    const { rows } = cachePositions(config(4), starts(5, 12), 3, capacity);
    expect(new Set(rows).size).toBe(rows.length);
    // Slot 1, head 1, position 14: entry 0 of the last quarter.
    expect(rows.at(-1)).toBe((1 * 2 + 1) * capacity + (14 % capacity));
  });

  it('are those of the named slots', () => {
    const capacity = 7;
    const all = cachePositions(config(4), starts(5, 12), 3, capacity);
    const one = cachePositions(config(4), [{ slot: 1, start: 12 }], 3, capacity);
    expect([...one.rows]).toEqual([...all.rows.subarray(one.rows.length)]);
    expect([...one.mask]).toEqual([...all.mask.subarray(one.mask.length)]);
    expect([...keptRows(config(4), [1], capacity)]).toEqual(Array.from({ length: 14 }, (_, i) => 14 + i));
    expect([...keptRows(config(4), [1], capacity, 2)]).toEqual([14, 15, 21, 22]);
  });

  it('rotate by each slot’s own positions', () => {
    const { cos } = cachePositions(config(4), starts(0, 3), 1, 8);
    expect([...cos.subarray(0, 2)]).toEqual([1, 1]);
    expect(cos[2]).toBeCloseTo(Math.cos(3), 6);
  });
});
