import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { locateModel } from '../../src/import/index.js';
import { canonicalTokens, tokenEnds } from '../../src/patching/index.js';
import { loadTokenizer, tokenizerFromGguf } from '../../src/tokenizer/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { sentencePieceValues, writeTokenizer } from '../tokenizer/samples.js';

const tiny = await loadTokenizer((await locateModel('builtin:tiny-llama')).path);
const folder = temporaryFolder();
const utf8 = new TextEncoder();
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.array(fc.constantFrom('the ', 'file', '\n', '  ', '½', '€', '😀', 'don’t', '12')).map((parts) => parts.join('')),
);

/** A text with a `|` after each token. */
function shown(text: string, cut = false): string {
  const bytes = utf8.encode(text);
  const { ends, known } = tokenEnds(bytes, cut, tiny);
  return [...bytes].map((byte, i) => `${known[i] ? String.fromCharCode(byte) : '?'}${ends[i] ? '|' : ''}`).join('');
}

describe('token ends', () => {
  it('are where the canonical tokens end', () => {
    const text = 'the file is read, and then 12 more';
    const ids = tiny.encode(text);
    expect(ids.length).toBeLessThan(text.length);
    expect(shown(text)).toBe(ids.map((id) => `${Buffer.from(tiny.tokenBytes(id)).toString()}|`).join(''));
  });

  it('are unknown for the last token if the text continues', () => {
    const text = 'the file';
    const last = tiny.tokenBytes(tiny.encode(text).at(-1)!).length;
    expect(shown(text, true).replaceAll('|', '').slice(-last)).toBe('?'.repeat(last));
    expect(shown(text, true).startsWith('the|')).toBe(true);
  });

  it('separate any text into its tokens', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = utf8.encode(text);
        const { ends, known } = tokenEnds(bytes, false, tiny);
        const places = [...ends.entries()].flatMap(([i, end]) => (end === 1 ? [i + 1] : []));
        const lengths = places.map((place, i) => place - (places[i - 1] ?? 0));
        expect(lengths).toEqual(canonicalTokens(bytes, tiny)!.map(({ length }) => length));
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(bytes.length);
        expect(known.every((is) => is === 1)).toBe(true);
      }),
    );
  });

  it('are known for a text that was cut anywhere, except in the characters that were cut', () => {
    fc.assert(
      fc.property(texts, fc.nat(), fc.nat(), (text, a, b) => {
        const bytes = utf8.encode(text);
        const [from, to] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y) as [number, number];
        const { known, ends } = tokenEnds(bytes.subarray(from, to), false, tiny);
        const whole = (place: number) => place === bytes.length || (bytes[place]! & 0xc0) !== 0x80;
        if (whole(from) && whole(to)) expect([...known]).toEqual(new Array(to - from).fill(1));
        const first = known.indexOf(1);
        if (first >= 0) expect([whole(from + first), whole(from + known.lastIndexOf(1) + 1)]).toEqual([true, true]);
        ends.forEach((end, i) => {
          if (end === 1) expect(known[i]).toBe(1);
        });
      }),
    );
  });

  it('skip the space that SentencePiece puts before every text, and are unknown for texts that it does not spell', async () => {
    await writeTokenizer(folder(), tokenizerFromGguf(sentencePieceValues()));
    const tokenizer = await loadTokenizer(folder());
    // SentencePiece's mark for a space is itself a character, which is then read as a space.
    const spelled = texts.filter((text) => !text.includes('▁'));
    fc.assert(
      fc.property(spelled, (text) => {
        const bytes = utf8.encode(text);
        const tokens = canonicalTokens(bytes, tokenizer)!;
        expect(tokens.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
        if (bytes.length > 0) expect(tokens.map(({ added }) => added)).toEqual(tokens.map((_, i) => (i === 0 ? 1 : 0)));
      }),
    );
    expect(canonicalTokens(utf8.encode('a ▁ b'), tokenizer)).toBeNull();
    expect([...tokenEnds(utf8.encode('a▁'), false, tokenizer).known]).toEqual([0, 0, 0, 0]);
  });
});
