import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPieces } from '../../src/commands/json-pieces.js';

const whole = (document: object) => [...jsonPieces(document)].join('');

describe('a JSON document in pieces', () => {
  it('is what JSON.stringify gives', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (document) => {
        expect(whole(document)).toBe(`${JSON.stringify(document, null, 2)}\n`);
      }),
    );
  });

  it.each([65_536, 65_537, 131_072, 200_000])('is so with an array of %i values', (length) => {
    const values = Array.from({ length }, (_, i) => (i % 1000 === 0 ? { at: [i, Number.NaN] } : i / 3));
    const document = { before: { a: [1, 2] }, values, left: undefined, 'a "key"': null, empty: [] };
    const pieces = [...jsonPieces(document)];
    expect(pieces.join('')).toBe(`${JSON.stringify(document, null, 2)}\n`);
    expect(pieces.length > 1).toBe(length > 65_536);
  });

  it('is no string as long as its arrays', () => {
    const values = new Array(1_000_000).fill(1 / 3);
    expect(Math.max(...[...jsonPieces({ values })].map((piece) => piece.length))).toBeLessThan(2_000_000);
  });
});
