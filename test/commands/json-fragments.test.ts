import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFragments } from '../../src/commands/json-fragments.js';

const whole = (document: object) => [...jsonFragments(document)].join('');

describe('a JSON document in fragments', () => {
  it('equals the output of JSON.stringify', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (document) => {
        expect(whole(document)).toBe(`${JSON.stringify(document, null, 2)}\n`);
      }),
    );
  });

  it.each([65_536, 65_537, 131_072, 200_000])('equals it with an array of %i values too', (length) => {
    const values = Array.from({ length }, (_, i) => (i % 1000 === 0 ? { at: [i, Number.NaN] } : i / 3));
    const document = { before: { a: [1, 2] }, values, left: undefined, 'a "key"': null, empty: [] };
    const fragments = [...jsonFragments(document)];
    expect(fragments.join('')).toBe(`${JSON.stringify(document, null, 2)}\n`);
    expect(fragments.length > 1).toBe(length > 65_536);
  });

  it('has no fragment that contains a whole long array', () => {
    const values = new Array(1_000_000).fill(1 / 3);
    expect(Math.max(...[...jsonFragments({ values })].map((fragment) => fragment.length))).toBeLessThan(2_000_000);
  });
});
