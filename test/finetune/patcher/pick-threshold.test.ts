import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchLengths, patchStarts } from '../../../src/blt/index.js';
import { calibrateThreshold } from '../../../src/finetune/patcher/pick-threshold.js';

describe('calibrateThreshold', () => {
  it('finds a threshold that gives the reported number of bytes per patch, close to the target', () => {
    const text = fc
      .array(fc.float({ min: 0, max: 5, noNaN: true }), { minLength: 20, maxLength: 80 })
      .map((some) => Float32Array.from(some));
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 1.5, max: 6, noNaN: true }),
        (texts, target) => {
          const { threshold, bytesPerPatch } = calibrateThreshold(texts, { bytesPerPatch: target });
          // The lengths cover BOS and all bytes. No byte follows the last one, so the entropy after it is not needed.
          const patches = texts.map((entropies) => {
            const lengths = patchLengths(patchStarts(entropies, threshold), entropies.length);
            return lengths.length - 1;
          });
          const bytes = texts.reduce((sum, { length }) => sum + length, 0);
          expect(bytes / patches.reduce((a, b) => a + b)).toBeCloseTo(bytesPerPatch, 9);
          const distinct = new Set(texts.flatMap((entropies) => [...entropies])).size === bytes;
          if (distinct) expect(Math.abs(bytes / bytesPerPatch - Math.round(bytes / target))).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it.each([0.5, 1000])('refuses a target of %f bytes per patch', (target) => {
    expect(() => calibrateThreshold([new Float32Array(50).fill(1)], { bytesPerPatch: target })).toThrow(
      /No threshold gives/,
    );
  });
});
