import { describe, expect, it } from 'vitest';
import { cutTexts } from '../../../bench/scale/cut-texts.mjs';

const bytes = (text: string) => new TextEncoder().encode(text);
const shown = (texts: readonly string[], maxBytes: number) =>
  cutTexts(texts.map(bytes), maxBytes).map((piece) => new TextDecoder('utf-8', { fatal: true }).decode(piece));

describe('the pieces of texts', () => {
  it('are as long as a row, and none spans two texts', () => {
    expect(shown(['abcdefghij', 'kl'], 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
  });

  it('end between characters', () => {
    expect(shown(['abc€def'], 4)).toEqual(['abc', '€d', 'ef']);
  });
});
