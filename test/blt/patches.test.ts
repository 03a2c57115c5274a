import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchIds, patchLengths, patchStarts } from '../../src/blt/index.js';

const entropies = fc
  .array(fc.float({ min: 0, max: 5, noNaN: true }), { minLength: 1, maxLength: 60 })
  .map((some) => Float32Array.from(some));

describe('patches', () => {
  it('begin after a prediction whose entropy exceeds the threshold, and at positions 0 and 1', () => {
    // H[0] has no effect; H[1] = 2 makes 2 a start, and H[5] = 3 makes 6 a start, which is the next byte
    expect([...patchStarts(Float32Array.of(9, 2, 1, 1, 0, 3), 1)]).toEqual([0, 1, 2, 6]);
  });

  it('of BOS alone are two, of which the second is empty', () => {
    const starts = patchStarts(Float32Array.of(5), 1);
    expect([...starts]).toEqual([0, 1]);
    expect([...patchLengths(starts, 1)]).toEqual([1, 1]);
    expect([...patchIds(starts, 1).decoder]).toEqual([0]);
  });

  it('have positive lengths that sum to N + 1, the first of which is 1', () => {
    fc.assert(
      fc.property(entropies, (some) => {
        const lengths = patchLengths(patchStarts(some, 2), some.length);
        expect(lengths.reduce((a, b) => a + b)).toBe(some.length + 1);
        expect(lengths[0]).toBe(1);
        expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('number positions by the starts at or before them, and one step ahead for the decoder', () => {
    fc.assert(
      fc.property(entropies, (some) => {
        const starts = patchStarts(some, 2);
        const { encoder, decoder } = patchIds(starts, some.length);
        for (let p = 0; p < some.length; p++) {
          expect(encoder[p]).toBe([...starts].filter((start) => start <= p).length - 1);
          expect(decoder[p]).toBe([...starts].filter((start) => start <= p + 1).length - 2);
        }
      }),
    );
  });

  it('never let a byte attend to the open patch', () => {
    fc.assert(
      fc.property(entropies, (some) => {
        const starts = patchStarts(some, 2);
        const { decoder } = patchIds(starts, some.length);
        for (let p = 0; p < some.length; p++)
          expect((starts[decoder[p]! + 1] ?? Number.POSITIVE_INFINITY) - 1).toBeLessThanOrEqual(p);
      }),
    );
  });

  it('partition the positions in order: each patch pools as many as its length', () => {
    fc.assert(
      fc.property(entropies, (some) => {
        const starts = patchStarts(some, 2);
        const lengths = patchLengths(starts, some.length);
        const { encoder } = patchIds(starts, some.length);
        // The last patch includes the next byte.
        const expected = [...lengths].flatMap((length, patch) => Array<number>(length).fill(patch)).slice(0, -1);
        expect([...encoder]).toEqual(expected);
      }),
    );
  });

  it('do not depend on later positions', () => {
    fc.assert(
      fc.property(entropies, fc.nat(60), (some, upTo) => {
        const length = 1 + (upTo % some.length);
        const starts = patchStarts(some, 2);
        const early = patchStarts(some.subarray(0, length), 2);
        expect([...early]).toEqual([...starts].filter((start) => start <= Math.max(1, length)));
        const [whole, part] = [patchIds(starts, some.length), patchIds(early, length)];
        expect(part.encoder).toEqual(whole.encoder.subarray(0, length));
        expect(part.decoder).toEqual(whole.decoder.subarray(0, length));
      }),
    );
  });
});
