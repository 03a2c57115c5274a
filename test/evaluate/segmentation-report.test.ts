import { describe, expect, it } from 'vitest';
import { segmentationReport } from '../../src/evaluate/index.js';
import { CUT_AT_END, CUT_LATE, NO_CUT } from '../../src/patching/index.js';

/** The token ends of ab| cde| f| gh|, whose third token is a single byte. */
const BYTES = new TextEncoder().encode('abcdefgh');
const ENDS = Uint8Array.from([0, 1, 0, 0, 1, 1, 0, 1]);

describe('the segmentation report', () => {
  const zeros = () => new Float32Array(8);
  const readings = new Array(8).fill('inside');
  const bit = Math.LN2;

  it('counts each token end once, and a late cut for the end before it', () => {
    const cuts = Uint8Array.from([CUT_LATE, CUT_AT_END, CUT_LATE, CUT_AT_END, NO_CUT, CUT_LATE, 0, CUT_AT_END]);
    // Right: the end at 1, and the one at 4 by the late cut at 5. Wrong: the late cut at 0, the second one for 1, and the one at 3. The last byte's cut does not count.
    const source = { canonical: zeros(), inPatches: zeros(), readings };
    const report = segmentationReport([{ bytes: BYTES, ends: ENDS, cuts, patcherNats: 8 * bit, source }]);
    expect(report).toMatchObject({ bytes: 8, cutPrecision: 2 / 5, cutRecall: 2 / 3, lateShare: 1 / 2 });
    expect(report).toMatchObject({ bytesPerPatch: 8 / 6, bytesPerToken: 2, patcherBitsPerByte: 1 });
  });

  it('counts cuts inside characters, and a late cut after a character for the token end before it', () => {
    const bytes = new TextEncoder().encode('aé€bcd');
    const cuts = Uint8Array.from([NO_CUT, CUT_AT_END, CUT_LATE, NO_CUT, CUT_AT_END, CUT_LATE, 0, 0, 0]);
    const ends = Uint8Array.from([1, 0, 1, 0, 0, 1, 0, 0, 1]);
    const [canonical, inPatches] = [new Float32Array(9), new Float32Array(9)];
    const source = { canonical, inPatches, readings: new Array(9).fill('inside') };
    const report = segmentationReport([{ bytes, ends, cuts, patcherNats: 0, source }]);
    // Of four cuts, two are inside é and €; the late ones after é and € are right.
    expect(report).toMatchObject({ cutPrecision: 1 / 2, insideCharacterShare: 1 / 2, lateShare: 1 });
  });

  it('groups bits by what the state before each byte has read', () => {
    const source = {
      canonical: zeros().fill(bit / 2),
      inPatches: Float32Array.from([1, 2, 4, 8, 1, 1, 1, 1], (nats) => nats * bit),
      readings: ['fresh', 'stale', 'unread', 'fresh', 'inside', 'inside', 'inside', 'inside'] as const,
    };
    const report = segmentationReport([{ bytes: BYTES, ends: ENDS, cuts: ENDS, patcherNats: 0, source }]);
    expect(report.canonicalBitsPerByte).toBeCloseTo(0.5, 6);
    expect(report.inPatchesBitsPerByte).toBeCloseTo(19 / 8, 6);
    expect(report.freshFirstBytesBitsPerByte).toBeCloseTo(9 / 8, 6);
    expect(report.staleFirstBytesBitsPerByte).toBeCloseTo(2 / 8, 6);
    expect(report.unreadFirstBytesBitsPerByte).toBeCloseTo(4 / 8, 6);
  });
});
