import { describe, expect, it } from 'vitest';
import { cutCounts, tokenAgreement } from '../../src/evaluate/index.js';
import { CUT_AT_END, CUT_LATE, NO_CUT } from '../../src/patching/index.js';

const text = (content: string, cuts: readonly number[], ends: readonly number[] = []) => ({
  bytes: new TextEncoder().encode(content),
  cuts: Uint8Array.from(cuts),
  ends: Uint8Array.from(ends),
});

describe('where a patcher cuts', () => {
  it('counts cuts inside characters of all texts; the last byte of a text is no place for one', () => {
    // a|é|€: one cut before é, one inside €, and one after its last byte.
    const first = text('aé€', [CUT_AT_END, NO_CUT, NO_CUT, CUT_AT_END, NO_CUT, CUT_AT_END]);
    const second = text('abc', [CUT_AT_END, CUT_AT_END, NO_CUT]);
    expect(cutCounts([first])).toEqual({ bytesPerPatch: 6 / 3, insideCharacterShare: 1 / 2 });
    expect(cutCounts([first, second])).toEqual({ bytesPerPatch: 9 / 6, insideCharacterShare: 1 / 4 });
  });

  it('has no shares without cuts', () => {
    expect(cutCounts([text('abc', [NO_CUT, NO_CUT, CUT_AT_END])])).toEqual({
      bytesPerPatch: 3,
      insideCharacterShare: Number.NaN,
    });
  });

  it('agrees with tokens where cuts are at their ends, or one character late', () => {
    // Tokens ab|cd|e: a cut at b, and a late one after e, which belongs to the end at d.
    const one = text('abcdef', [NO_CUT, CUT_AT_END, NO_CUT, NO_CUT, CUT_LATE, NO_CUT], [0, 1, 0, 1, 0, 1]);
    expect(tokenAgreement([one])).toEqual({ cutPrecision: 1, cutRecall: 1, lateShare: 1 / 2, bytesPerToken: 2 });
    const two = text('abcdef', [CUT_AT_END, CUT_AT_END, NO_CUT, NO_CUT, NO_CUT, NO_CUT], [0, 1, 0, 1, 0, 1]);
    expect(tokenAgreement([two])).toMatchObject({ cutPrecision: 1 / 2, cutRecall: 1 / 2, lateShare: 0 });
    expect(tokenAgreement([one, two])).toMatchObject({ cutPrecision: 3 / 4, cutRecall: 3 / 4, lateShare: 1 / 3 });
  });
});
