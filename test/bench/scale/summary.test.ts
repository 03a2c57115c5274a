import { describe, expect, it } from 'vitest';
import { armsOf } from '../../../bench/scale/arms.mjs';
import { meanCurve } from '../../../bench/scale/chart.mjs';
import { curveOf } from '../../../bench/scale/curve.mjs';
import { captionOf, summarise, tableOf } from '../../../bench/scale/summary.mjs';

const TEXT = { name: 'a manual', training_bytes: 400, held_out_bytes: 64_000 };
const arms = armsOf();

/** Results whose bits per byte are 3 for the first seed and 3.1 for the second, and lower by 0.1 with each arm. */
const results = arms.flatMap(({ arm, bytesPerPatch }, i) =>
  [1, 2].map((seed) => ({
    ...{ arm, seed, training_bytes: 1000, training_flops: 2e12, bytes_per_patch: bytesPerPatch },
    bits_per_byte: 3 + 0.1 * (seed - 1) - 0.1 * i,
    curve: [
      { bytes: 0, bits_per_byte: 8 },
      { bytes: 1000, bits_per_byte: 3 + seed },
    ],
  })),
);

describe('the curve of a run', () => {
  it('has the evaluations by the bytes read before them', () => {
    const evaluation = (bits: number, flops: number) => ({
      ...{ validation_bits_per_byte: bits, validation_bytes_per_patch: 4, flops },
    });
    expect(curveOf([evaluation(8, 0), { bytes: 20 }, { bytes: 18 }, evaluation(3, 7), { bytes: 5 }])).toEqual({
      ...{ training_bytes: 43, training_flops: 7, bits_per_byte: 3, bytes_per_patch: 4 },
      curve: [
        { bytes: 0, bits_per_byte: 8 },
        { bytes: 38, bits_per_byte: 3 },
      ],
    });
  });

  it('is averaged over seeds from the first step on', () => {
    expect(meanCurve(results.slice(0, 2))).toEqual([{ megabytes: 0.001, bits: 4.5 }]);
  });
});

describe('the summary', () => {
  it('compares the arms seed by seed', () => {
    const summary = summarise(arms, results, TEXT);
    expect(summary.passes).toBe(2.5);
    expect(summary.cost_spread).toBeLessThan(0.001);
    for (const difference of summary.arms[2]!.minus_first) expect(difference).toBeCloseTo(-0.2);
    // The mean is 3.05; with one degree of freedom the interval is 12.706 · 0.0707 / √2 wide on each side.
    expect(tableOf(summary)).toContain('| 3.050 ± 0.635 |  |');
    expect(tableOf(summary)).toContain('| -0.200 ± 0.000 |');
    expect(tableOf(summary).split('\n').at(-1)).toMatch(/^\| 160 × 5, control \|/);
    expect(captionOf(summary, TEXT)).toContain('2.5 passes');
  });

  it('refuses arms that have read different text', () => {
    const uneven = results.map((result, i) => (i === 3 ? { ...result, training_bytes: 999 } : result));
    expect(() => summarise(arms, uneven, TEXT)).toThrow('seed 2: has read other text than the first arm');
  });
});
