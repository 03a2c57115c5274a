import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partsOf } from '../../../src/evaluate/suites/documents.js';
import { utf8 } from '../../../src/evaluate/suites/item.js';

const parts = (text: Uint8Array) => [...partsOf({ id: 'one', kind: 'prose', isText: true, text })];

describe('the parts of a document', () => {
  it('are the document itself if it is short', () => {
    for (const length of [0, 1, 4096]) {
      const found = parts(new Uint8Array(length).fill(97));
      expect(found.map(({ id, unit, before, text }) => [id, unit, before.length, text.length])).toEqual([
        ['one', 'one', 0, length],
      ]);
    }
  });

  it('are scored after what precedes them', () => {
    const found = parts(new Uint8Array(9000).fill(97));
    expect(found.map(({ id, unit, before, text }) => [id, unit, before.length, text.length])).toEqual([
      ['one', 'one', 0, 4096],
      ['one, part 2', 'one', 2048, 2048],
      ['one, part 3', 'one', 2048, 2048],
      ['one, part 4', 'one', 2048, 808],
    ]);
  });

  it('are the whole text, cut between characters', () => {
    const characters = fc.constantFrom('a', 'é', '語', '😀');
    fc.assert(
      fc.property(fc.array(characters, { minLength: 1500, maxLength: 6000 }), (all) => {
        const text = utf8(all.join(''));
        const found = parts(text);
        expect(Buffer.concat(found.map((part) => part.text)).equals(text)).toBe(true);
        const decoder = new TextDecoder('utf-8', { fatal: true });
        for (const { before, text: own } of found) {
          expect(() => [before, own].map((part) => decoder.decode(part))).not.toThrow();
          expect(before.length + own.length).toBeLessThanOrEqual(4099);
        }
      }),
      { numRuns: 20 },
    );
  });
});
