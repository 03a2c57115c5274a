import { describe, expect, it } from 'vitest';
import { meanWithInterval, seedInterval } from '../../bench/seeds.mjs';

describe('figures over seeds', () => {
  it('have the interval of Student’s t', () => {
    // scipy.stats.t.interval(0.95, 2, loc=2, scale=1 / 3 ** 0.5)
    const { mean, half } = seedInterval([1, 2, 3]);
    expect(mean).toBe(2);
    expect(half).toBeCloseTo(2.4841, 3);
    expect(meanWithInterval([1, 2, 3], 2)).toBe('2.00 ± 2.48');
  });

  it('have none for one seed, and none is invented for more than the table has', () => {
    expect(meanWithInterval([1.5])).toBe('1.500');
    expect(() => seedInterval(Array.from({ length: 11 }, (_, i) => i))).toThrow('at most 10 seeds');
  });
});
