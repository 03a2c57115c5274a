import { describe, expect, it } from 'vitest';
import type { TransformerConfig } from '../../../src/blt/index.js';
import { cachePositions, cacheRows, rollingCapacity } from '../../../src/model/decoding/cache-positions.js';

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

const cache = (window: number | null, slots: number, capacity: number) => ({ config: config(window), slots, capacity });

describe('positions in a cache', () => {
  it('show a query the keys of its window, wherever the sequence continues', () => {
    const [window, count] = [5, 3];
    const capacity = rollingCapacity(window, count);
    for (let start = 0; start < 40; start++) {
      const { mask } = cachePositions(cache(window, 1, capacity), starts(start), count);
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
    const { mask } = cachePositions(cache(null, 1, 16), starts(6), 2);
    expect(seen(mask.subarray(0, 16), 16, 7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(seen(mask.subarray(16), 16, 7)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('give every head and slot separate rows', () => {
    const { rows } = cachePositions(cache(4, 2, 7), starts(5, 12), 3);
    expect(new Set(rows).size).toBe(rows.length);
    // Slot 1, head 1, position 14: entry 0 of the last quarter.
    expect(rows.at(-1)).toBe((1 * 2 + 1) * 7 + (14 % 7));
  });

  it('are those of the named slots', () => {
    const all = cachePositions(cache(null, 2, 16), starts(5, 12), 3);
    const one = cachePositions(cache(null, 2, 16), [{ slot: 1, start: 12 }], 3);
    expect([...one.rows]).toEqual([...all.rows.subarray(one.rows.length)]);
    expect([...one.mask]).toEqual([...all.mask.subarray(one.mask.length)]);
    expect([...all.kept]).toEqual([]);
    expect([...one.kept]).toEqual(Array.from({ length: 32 }, (_, i) => 32 + i));
    expect([...cacheRows(config(4), 7, [[1, [0, 8]]])]).toEqual([14, 15, 21, 22]);
  });

  it.each([
    ['some of the slots', 1, 2],
    ['many positions', 65, 1],
  ])('gather the window in the order of positions for %s, and mask what precedes the sequence', (_, count, slots) => {
    const [window, start] = [4, 2];
    const capacity = rollingCapacity(window, count);
    const { kept, mask } = cachePositions(cache(window, slots, capacity), starts(start), count);
    // Positions -1, 0 and 1 of both heads, of which the first does not exist.
    expect([...kept]).toEqual([0, 0, 1, capacity, capacity, capacity + 1]);
    expect([...mask]).toEqual([-1e9, 0, 0]);
    // Positions 97 to 99, wherever they are in the ring buffer.
    const later = cachePositions(cache(window, slots, capacity), starts(100), count);
    const rows = [97, 98, 99].map((position) => position % capacity);
    expect([...later.kept]).toEqual([...rows, ...rows.map((row) => capacity + row)]);
    expect([...later.mask]).toEqual([0, 0, 0]);
  });

  it('rotate by each slot’s own positions', () => {
    const { cos } = cachePositions(cache(4, 2, 8), starts(0, 3), 1);
    expect([...cos.subarray(0, 2)]).toEqual([1, 1]);
    expect(cos[2]).toBeCloseTo(Math.cos(3), 6);
  });
});
