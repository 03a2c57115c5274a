import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../src/data/lines.js';
import { inChunks, someLengths } from '../support/archives.js';

async function* each<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

async function lines(text: string, maxBytes: number, lengths: readonly number[] = [7]) {
  const found: (string | null)[] = [];
  for await (const line of linesOf(each(inChunks([...Buffer.from(text)], lengths)), maxBytes))
    found.push(line === null ? null : Buffer.from(line).toString());
  return found;
}

describe('lines', () => {
  it('concatenate to the text, and are null if they are too long', async () => {
    const texts = fc.array(
      fc.string({ maxLength: 30 }).filter((text) => !text.includes('\n')),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 40 }), someLengths, async (parts, maxBytes, lengths) => {
        const expected = parts.map((part) => (Buffer.byteLength(part) > maxBytes ? null : part));
        expect(await lines(parts.map((part) => `${part}\n`).join(''), maxBytes, lengths)).toEqual(expected);
      }),
    );
  });

  it('may lack the last line end', async () => {
    expect(await lines('a\n\nbc', 10)).toEqual(['a', '', 'bc']);
    expect(await lines('', 10)).toEqual([]);
  });
});
