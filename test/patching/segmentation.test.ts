import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchIds } from '../../src/blt/index.js';
import { segmentationReport } from '../../src/evaluate/index.js';
import { locateModel } from '../../src/import/index.js';
import {
  type Alignment,
  boundaryLabels,
  byteReadings,
  CUT_AT_END,
  CUT_LATE,
  isLateCut,
  NO_CUT,
  openSourceReader,
  sourceChunks,
  textCuts,
} from '../../src/patching/index.js';

const hybrid: Alignment = { labels: 'hybrid', endConfidence: 0.9 };
const end: Alignment = { labels: 'end', endConfidence: 0.9 };
const start: Alignment = { labels: 'start', endConfidence: 0.9 };

/** Bytes of tokens `the| file|.|` in short: ab| cde| f| gh|, the third a single byte. */
const ENDS = Uint8Array.from([0, 1, 0, 0, 1, 1, 0, 1]);
const SURE = (...at: number[]) => Float32Array.from(ENDS, (_, i) => (at.includes(i) ? 0.95 : 0.5));

describe('labels of where patches should close', () => {
  it.each<[string, Alignment, Float32Array, number[]]>([
    ['ends', end, SURE(), [0, 1, 0, 0, 1, 1, 0, 1]],
    ['first bytes of successors', start, SURE(1, 4, 5), [0, 0, 1, 0, 0, 1, 1, 0]],
    ['first bytes where nothing is sure', hybrid, SURE(), [0, 0, 1, 0, 0, 1, 1, 0]],
    ['ends where all are sure', hybrid, SURE(1, 4, 5, 7), [0, 1, 0, 0, 1, 1, 0, 1]],
    ['a single byte that is sure after one that was not: one cut for both', hybrid, SURE(5), [0, 0, 1, 0, 0, 1, 0, 0]],
    ['a single byte that is not sure after one that was', hybrid, SURE(4), [0, 0, 1, 0, 1, 0, 1, 0]],
    ['an end that is none but sure', hybrid, SURE(0, 1), [1, 1, 0, 0, 0, 1, 1, 0]],
  ])('%s', (_what, alignment, probabilities, labels) => {
    expect([...boundaryLabels(alignment, ENDS, probabilities)]).toEqual(labels);
  });

  it('look at no byte that is not there yet', () => {
    const bits = fc.array(fc.tuple(fc.boolean(), fc.float({ min: 0, max: 1, noNaN: true })), { minLength: 2 });
    fc.assert(
      fc.property(bits, fc.constantFrom(hybrid, end, start), (bytes, alignment) => {
        const labels = (list: typeof bytes) =>
          boundaryLabels(
            alignment,
            Uint8Array.from(list, ([is]) => (is ? 1 : 0)),
            Float32Array.from(list, ([, probability]) => probability),
          );
        expect([...labels(bytes.slice(0, -1))]).toEqual([...labels(bytes).subarray(0, -1)]);
      }),
    );
  });
});

describe('cuts', () => {
  it('are late where a token’s end was not sure', () => {
    expect([isLateCut(null, 0), isLateCut(end, 0), isLateCut(start, 1)]).toEqual([false, false, true]);
    expect([isLateCut(hybrid, 0.9), isLateCut(hybrid, 0.91)]).toEqual([true, false]);
  });

  it('lie behind the byte at whose position the entropy is above the threshold', () => {
    const entropies = Float32Array.from([9, 1, 3, 1, 3]); // BOS and four bytes
    const endProbabilities = Float32Array.from([0, 0, 0.95, 0.95, 0.5]);
    expect([...textCuts({ entropies, endProbabilities }, 2, hybrid)]).toEqual([NO_CUT, CUT_AT_END, NO_CUT, CUT_LATE]);
    expect([...textCuts({ entropies, endProbabilities: null }, 2, null)]).toEqual([0, CUT_AT_END, 0, CUT_AT_END]);
  });
});

describe('what a state has read', () => {
  it('is told of each byte', async () => {
    const folder = (await locateModel('builtin:tiny-llama')).path;
    const reader = await openSourceReader(folder, { vocabSize: 1024, bosId: null, eosIds: [0] });
    const bytes = new TextEncoder().encode('the file the');
    // the| f~ile the|: the second cut is at once, the third, behind the second word's first byte, late.
    const starts = Int32Array.from([0, 1, 4, 6, 13]);
    const late = (position: number) => position === 5;
    const chunks = sourceChunks({ bytes, count: 13, starts, late }, reader.tokensOf, reader.special);
    const places = byteReadings(chunks, patchIds(starts, 13).encoder);
    expect(places[0]).toBe('fresh');
    expect(places[3]).toBe('fresh');
    expect(places[4]).toBe('stale');
    expect(places.slice(5)).toContain('unread');
    expect(places.filter((place) => place !== 'inside').length).toBe(chunks.tokens.length - 1);
  });
});

describe('the report', () => {
  const zeros = () => new Float32Array(8);
  const places = new Array(8).fill('inside');
  const bit = Math.LN2;

  it('counts each token end once, a late cut for the end before it', () => {
    const cuts = Uint8Array.from([CUT_LATE, CUT_AT_END, CUT_LATE, CUT_AT_END, NO_CUT, CUT_LATE, 0, CUT_AT_END]);
    // Right: the end at 1, the one at 4 by the late cut at 5. Wrong: late at 0, again for 1, and at 3. The last byte's cut is none.
    const source = { canonical: zeros(), inPatches: zeros(), places };
    const report = segmentationReport([{ ends: ENDS, cuts, patcherNats: 8 * bit, source }]);
    expect(report).toMatchObject({ bytes: 8, cutPrecision: 2 / 5, cutRecall: 2 / 3, lateShare: 1 / 2 });
    expect(report).toMatchObject({ bytesPerPatch: 8 / 6, bytesPerToken: 2, patcherBitsPerByte: 1 });
  });

  it('adds up bits by what the state before them has read', () => {
    const source = {
      canonical: zeros().fill(bit / 2),
      inPatches: Float32Array.from([1, 2, 4, 8, 1, 1, 1, 1], (nats) => nats * bit),
      places: ['fresh', 'stale', 'unread', 'fresh', 'inside', 'inside', 'inside', 'inside'] as const,
    };
    const report = segmentationReport([{ ends: ENDS, cuts: ENDS, patcherNats: 0, source }]);
    expect(report.canonicalBitsPerByte).toBeCloseTo(0.5, 6);
    expect(report.inPatchesBitsPerByte).toBeCloseTo(19 / 8, 6);
    expect(report.freshFirstBytesBitsPerByte).toBeCloseTo(9 / 8, 6);
    expect(report.staleFirstBytesBitsPerByte).toBeCloseTo(2 / 8, 6);
    expect(report.unreadFirstBytesBitsPerByte).toBeCloseTo(4 / 8, 6);
  });
});
