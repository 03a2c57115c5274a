import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createShownText, escapedByte, replacedByte } from '../../src/generate/index.js';

/** The text shown after each chunk, and at the end. */
function shown(parts: readonly (readonly number[])[], invalid: (byte: number) => string = escapedByte): string[] {
  const text = createShownText(invalid);
  return [...parts.map((piece) => text.push(Uint8Array.from(piece))), text.end()];
}

const utf8 = (text: string) => [...Buffer.from(text)];

/** A list, split at random positions into two or more. */
function cutAt(bytes: readonly number[], places: readonly number[]): number[][] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((to, i) => bytes.slice(i === 0 ? 0 : at[i - 1], to));
}

describe('text that is shown as its bytes arrive', () => {
  it('is the same however valid UTF-8 is split', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(anyText, fc.array(fc.nat()), (text, places) => {
        expect(shown(cutAt(utf8(text), places)).join('')).toBe(text);
      }),
    );
    // Byte order marks, and the limits of characters of each length.
    const ends = '\uFEFF\u0000\u007F\u0080\u07FF\u0800\uD7FF\uE000\uFFFF\u{10000}\u{10FFFF}\uFEFF';
    expect(shown(utf8(ends).map((byte) => [byte])).join('')).toBe(ends);
  });

  it('is the same however any bytes are split, and is never delayed longer than necessary', () => {
    const anyByte = fc.oneof(fc.nat(255), fc.constantFrom(0x80, 0xbf, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0x41));
    fc.assert(
      fc.property(fc.array(anyByte, { maxLength: 24 }), fc.array(fc.nat()), (bytes, places) => {
        const whole = shown([bytes]);
        const parts = shown(cutAt(bytes, places));
        expect(parts.join('')).toBe(whole.join(''));
        // The bytes that wait are the beginning of one character.
        expect(whole[1]!.match(/\\x[0-9a-f]{2}/g)?.length ?? 0).toBeLessThanOrEqual(3);
      }),
      { numRuns: 500 },
    );
  });

  it('accepts exactly the UTF-8 that Node accepts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), (bytes) => {
        const valid = Buffer.from(bytes).toString('utf8');
        const isValid = Buffer.from(valid).equals(Buffer.from(bytes));
        const mark = '\u{F0000}';
        expect(
          shown([[...bytes]], () => mark)
            .join('')
            .includes(mark),
        ).toBe(!isValid);
      }),
      { numRuns: 500 },
    );
  });

  it('shows a split character when its last byte arrives, or its bytes at the end', () => {
    expect(shown([[0xf0, 0x9f], [0x8e], [0x89]])).toEqual(['', '', '🎉', '']);
    expect(shown([[0x61, 0xe2, 0x82]])).toEqual(['a', '\\xe2\\x82']);
  });

  it('shows bytes at once that cannot become a character', () => {
    expect(shown([[0xff], [0x80], [0xc0], [0xe0, 0x80], [0xed, 0xa0], [0xf4, 0x90], [0x0a]])).toEqual([
      '\\xff',
      '\\x80',
      '\\xc0',
      '\\xe0\\x80',
      '\\xed\\xa0',
      '\\xf4\\x90',
      '\n',
      '',
    ]);
    // The second byte begins another character.
    expect(shown([[0xe2], [0xc3], [0xa9]])).toEqual(['', '\\xe2', 'é', '']);
  });

  it('shows invalid bytes as U+FFFD or as padded escapes', () => {
    expect(shown([[0x41, 0xff, 0x42]], replacedByte).join('')).toBe('A\uFFFDB');
    expect(escapedByte(7)).toBe('\\x07');
  });

  it('accepts a text of several hundred thousand bytes at once', () => {
    const many = new Uint8Array(300_000).fill(0x61);
    expect(createShownText(escapedByte).push(many).length).toBe(many.length);
  });
});
