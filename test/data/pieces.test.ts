import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { piecesOf } from '../../src/data/document-chunks.js';

const text = new TextEncoder();

describe('pieces', () => {
  it('join to the document, none too long, none beginning inside a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
        fc.integer({ min: 8, max: 64 }),
        (document, limit) => {
          const bytes = text.encode(document);
          const pieces = [...piecesOf(bytes, limit)];
          expect(Buffer.concat(pieces)).toEqual(Buffer.from(bytes));
          for (const piece of pieces) {
            expect(piece.length).toBeLessThanOrEqual(limit);
            expect(() => new TextDecoder('utf-8', { fatal: true }).decode(piece)).not.toThrow();
          }
        },
      ),
    );
  });
});
