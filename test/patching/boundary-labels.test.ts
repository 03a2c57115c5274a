import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Alignment, boundaryLabels } from '../../src/patching/index.js';

const hybrid: Alignment = { labels: 'hybrid', endConfidence: 0.9 };
const end: Alignment = { labels: 'end', endConfidence: 0.9 };
const start: Alignment = { labels: 'start', endConfidence: 0.9 };

/** The token ends of ab| cde| f| gh|, whose third token is a single byte. */
const BYTES = new TextEncoder().encode('abcdefgh');
const ENDS = Uint8Array.from([0, 1, 0, 0, 1, 1, 0, 1]);
const SURE = (...at: number[]) => Float32Array.from(ENDS, (_, i) => (at.includes(i) ? 0.95 : 0.5));

describe('boundary labels', () => {
  it.each<[string, Alignment, Float32Array, number[]]>([
    ['the ends of tokens', end, SURE(), [0, 1, 0, 0, 1, 1, 0, 1]],
    ['the first bytes of the next tokens', start, SURE(1, 4, 5), [0, 0, 1, 0, 0, 1, 1, 0]],
    ['the first bytes if nothing is certain', hybrid, SURE(), [0, 0, 1, 0, 0, 1, 1, 0]],
    ['the ends if all are certain', hybrid, SURE(1, 4, 5, 7), [0, 1, 0, 0, 1, 1, 0, 1]],
    [
      'a one-byte token with a certain end after an uncertain one: one cut for both',
      hybrid,
      SURE(5),
      [0, 0, 1, 0, 0, 1, 0, 0],
    ],
    [
      'both sides of a one-byte token with an uncertain end after a certain one',
      hybrid,
      SURE(4),
      [0, 0, 1, 0, 1, 0, 1, 0],
    ],
    ['an end that is wrong but certain', hybrid, SURE(0, 1), [1, 1, 0, 0, 0, 1, 1, 0]],
  ])('are at %s', (_what, alignment, probabilities, labels) => {
    expect([...boundaryLabels(alignment, { bytes: BYTES, ends: ENDS }, probabilities)]).toEqual(labels);
  });

  // The tokens a| é, cut by its token| 😀| b, with ends at the bytes 0, 1, 2, 6 and 7.
  it.each<[string, Alignment, number[]]>([
    ['the ends of tokens that end a character', end, [1, 0, 1, 0, 0, 0, 1, 1]],
    ['the ends of the characters after them', start, [0, 0, 1, 0, 0, 0, 1, 1]],
    ['the same if nothing is certain', hybrid, [0, 0, 1, 0, 0, 0, 1, 1]],
  ])('are never inside a character: %s', (_what, alignment, labels) => {
    const bytes = new TextEncoder().encode('aé😀b');
    const ends = Uint8Array.from([1, 1, 1, 0, 0, 0, 1, 1]);
    expect([...boundaryLabels(alignment, { bytes, ends }, new Float32Array(8).fill(0.5))]).toEqual(labels);
  });

  it('do not depend on later bytes', () => {
    const byte = fc.constantFrom(0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xf0, 0x9f);
    const bits = fc.array(fc.tuple(fc.boolean(), fc.float({ min: 0, max: 1, noNaN: true }), byte), { minLength: 2 });
    fc.assert(
      fc.property(bits, fc.constantFrom(hybrid, end, start), (bytes, alignment) => {
        const labels = (list: typeof bytes) =>
          boundaryLabels(
            alignment,
            {
              bytes: Uint8Array.from(list, ([, , value]) => value),
              ends: Uint8Array.from(list, ([is]) => (is ? 1 : 0)),
            },
            Float32Array.from(list, ([, probability]) => probability),
          );
        expect([...labels(bytes.slice(0, -1))]).toEqual([...labels(bytes).subarray(0, -1)]);
      }),
    );
  });
});
