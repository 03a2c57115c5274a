import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchStarts } from '../../src/blt/index.js';
import { locateModel } from '../../src/import/index.js';
import { characterStart, openSourceReader, sourceChunks } from '../../src/patching/index.js';

const folder = (await locateModel('builtin:tiny-llama')).path;
const reader = await openSourceReader(folder, { vocabSize: 1024, bosId: null, eosIds: [0] });
const utf8 = new TextEncoder();

/** Cuts a text after each byte that is followed by `|`, and late if it is followed by `~`. */
function cut(marked: string) {
  const bytes: number[] = [];
  const starts = [0, 1];
  const late = new Set<number>();
  for (const byte of utf8.encode(marked)) {
    if (byte === 0x7c || byte === 0x7e) {
      starts.push(bytes.length + 1);
      if (byte === 0x7e) late.add(bytes.length);
    } else bytes.push(byte);
  }
  const count = bytes.length + 1;
  return { bytes: Uint8Array.from(bytes), count, starts: Int32Array.from(starts), late: (p: number) => late.has(p) };
}

const read = (marked: string) => sourceChunks(cut(marked), reader.tokensOf, reader.special);
const textOf = (ranks: readonly number[]) =>
  ranks.map((rank) => Buffer.from(reader.vocabulary.bytesAt(rank)).toString('latin1'));

describe('chunks', () => {
  it('are one token if the patch is one token', () => {
    const { tokens, lastToken, tokenCount } = read('the| file|');
    expect(textOf(tokens.slice(1)).join('')).toBe('the file');
    expect(lastToken.length).toBe(3);
    expect([...tokenCount].slice(0, 2)).toEqual([1, 1]);
  });

  it('leave the byte of a late cut to the next chunk', () => {
    const { tokens, lastToken, patchOfByte } = read('the ~file |');
    expect(textOf(tokens.slice(1, lastToken[1]! + 1)).join('')).toBe('the');
    expect(patchOfByte[3]).toBe(2); // the space
    expect(textOf(tokens.slice(lastToken[1]! + 1, lastToken[2]! + 1)).join('')).toBe(' file ');
  });

  it('leave the whole character of a late cut to the next chunk', () => {
    const { tokens, lastToken, patchOfByte } = read('the é~t é |');
    expect(textOf(tokens.slice(1, lastToken[1]! + 1)).join('')).toBe('the ');
    expect([...patchOfByte.subarray(4, 6)]).toEqual([2, 2]);
  });

  it('give the byte of a late cut at the end of a document a token outside all patches', () => {
    const { tokens, tokenOfByte, patchOfByte, lastToken } = read('the ~');
    expect(tokenOfByte[3]).toBe(tokens.length - 1);
    expect(patchOfByte[3]).toBe(lastToken.length);
    expect(lastToken.at(-1)).toBe(tokens.length - 2);
  });

  it('treat a cut after the first byte as not late', () => {
    const { tokens, lastToken } = read('a~b|');
    expect(textOf([tokens[lastToken[1]!]!])).toEqual(['a']);
  });

  it('are the end token if the patch is EOS alone', () => {
    const { bytes, starts, late } = cut('the|');
    const { tokens, lastToken } = sourceChunks(
      { bytes, count: bytes.length + 2, starts, late },
      reader.tokensOf,
      reader.special,
    );
    expect(tokens[lastToken[2]!]).toBe(reader.special.end);
  });

  it('give every byte one token, in order, and contain no byte beyond their patch', () => {
    const marks = fc.array(fc.constantFrom('', '', '|', '~'), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 24 }), marks, fc.boolean(), (text, cuts, hasEnd) => {
        const bytes = utf8.encode(text);
        const count = bytes.length + (hasEnd ? 2 : 1);
        const entropies = Float32Array.from({ length: count }, (_, p) => (cuts[p % 40] === '' ? 0 : 2));
        const starts = patchStarts(entropies, 1);
        const late = (p: number) => cuts[p % 40] === '~';
        const chunks = sourceChunks({ bytes, count, starts, late }, reader.tokensOf, reader.special);
        const { tokens, tokenOfByte, offsetInToken, patchOfByte, lastToken, tokenCount } = chunks;
        bytes.forEach((_, i) => {
          const isFirst = offsetInToken[i] === 0;
          expect(tokenOfByte[i]).toBe(i === 0 ? 1 : tokenOfByte[i - 1]! + (isFirst ? 1 : 0));
          if (!isFirst) expect(offsetInToken[i]).toBe(offsetInToken[i - 1]! + 1);
          const token = tokens[tokenOfByte[i]!]!;
          expect(reader.vocabulary.bytesAt(token)[offsetInToken[i]!]).toBe(bytes[i]);
          const patch = patchOfByte[i]!;
          // Byte i is at position i + 1, in its patch or in the last character of the patch before, which was cut late.
          const begin = starts[patch] ?? count;
          expect(i).toBeGreaterThanOrEqual(characterStart(bytes, begin - 2));
          expect(i + 1).toBeLessThan(starts[patch + 1] ?? count + 1);
          if (patch < lastToken.length) {
            expect(tokenOfByte[i]).toBeLessThanOrEqual(lastToken[patch]!);
            expect(tokenOfByte[i]).toBeGreaterThan(lastToken[patch]! - tokenCount[patch]!);
          }
        });
        // Chunks are consecutive; only the character of a late last cut has tokens after them.
        expect(lastToken[0]).toBe(0);
        for (let patch = 1; patch < lastToken.length; patch++)
          expect(lastToken[patch]! - tokenCount[patch]!).toBe(lastToken[patch - 1]);
        expect(tokens.length - 1 - lastToken.at(-1)!).toBeLessThanOrEqual(4);
      }),
    );
  });

  it('spell every text, cut anywhere, and do not depend on later patches', () => {
    const cuts = fc.array(fc.constantFrom('', '', '|', '~'), { minLength: 40, maxLength: 40 });
    const texts = fc.string({ unit: 'binary', maxLength: 24 });
    fc.assert(
      fc.property(texts, cuts, fc.nat(24), (text, marks, upTo) => {
        const bytes = utf8.encode(text);
        const entropies = Float32Array.from({ length: bytes.length + 1 }, (_, p) => (marks[p % 40] === '' ? 0 : 2));
        const document = {
          bytes,
          count: bytes.length + 1,
          starts: patchStarts(entropies, 1),
          late: (p: number) => marks[p % 40] === '~',
        };
        const whole = sourceChunks(document, reader.tokensOf, reader.special);
        const spelled = Buffer.concat(whole.tokens.slice(1).map((rank) => reader.vocabulary.bytesAt(rank)));
        expect(spelled.equals(Buffer.from(bytes))).toBe(true);
        const length = Math.min(upTo, bytes.length);
        const short = sourceChunks(
          {
            ...document,
            bytes: bytes.subarray(0, length),
            count: length + 1,
            starts: patchStarts(entropies.subarray(0, length + 1), 1),
          },
          reader.tokensOf,
          reader.special,
        );
        const closed = short.lastIsOpen ? short.lastToken.length - 1 : short.lastToken.length;
        for (let patch = 0; patch < closed; patch++) {
          expect(short.lastToken[patch]).toBe(whole.lastToken[patch]);
          expect(short.tokens[short.lastToken[patch]!]).toBe(whole.tokens[whole.lastToken[patch]!]);
        }
      }),
    );
  });
});
