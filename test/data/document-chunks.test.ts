import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeChunks } from '../../src/data/document-chunks.js';

const text = new TextEncoder();

/** The chunks of a whole document, including the rest. */
function* chunksOf(document: Uint8Array, limit: number): Generator<Uint8Array> {
  const rest = yield* completeChunks(document, limit, 'text');
  if (rest.length > 0) yield rest;
}

describe('document chunks', () => {
  it('concatenate to the document, stay within the limit and never begin inside a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
        fc.integer({ min: 8, max: 64 }),
        (document, limit) => {
          const bytes = text.encode(document);
          const chunks = [...chunksOf(bytes, limit)];
          expect(Buffer.concat(chunks)).toEqual(Buffer.from(bytes));
          for (const chunk of chunks) {
            expect(chunk.length).toBeLessThanOrEqual(limit);
            expect(() => new TextDecoder('utf-8', { fatal: true }).decode(chunk)).not.toThrow();
          }
        },
      ),
    );
  });
});
