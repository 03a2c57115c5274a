import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortVocabulary } from '../../src/patching/index.js';
import type { SourceTokenizer } from '../../src/tokenizer/index.js';

function tokenizerOf(tokens: readonly Uint8Array[]): SourceTokenizer {
  return {
    tokenBytes: (id: number) => tokens[id]!,
    ordinaryIds: tokens.flatMap(({ length }, id) => (length === 0 ? [] : [id])),
  } as unknown as SourceTokenizer;
}

const tokens = fc.array(
  fc.uint8Array({ maxLength: 4, max: 255 }).map((bytes) => bytes.map((b) => (b % 3) * 127)),
  {
    maxLength: 40,
  },
);

describe('the sorted vocabulary', () => {
  it('has the tokens of every prefix and next byte in one range', () => {
    fc.assert(
      fc.property(
        tokens,
        fc.uint8Array({ maxLength: 3 }).map((bytes) => bytes.map((b) => (b % 3) * 127)),
        (list, prefix) => {
          const { boundsOf, bytesAt, ordinary } = sortVocabulary(tokenizerOf(list), list.length + 2);
          const bounds = boundsOf(prefix);
          for (let byte = 0; byte < 256; byte++) {
            const within = Array.from({ length: ordinary }, (_, rank) => rank).filter((rank) => {
              const bytes = bytesAt(rank);
              return (
                bytes.length > prefix.length && prefix.every((b, i) => bytes[i] === b) && bytes[prefix.length] === byte
              );
            });
            const range = Array.from({ length: bounds[byte + 1]! - bounds[byte]! }, (_, i) => bounds[byte]! + i);
            expect(range).toEqual(within);
          }
        },
      ),
    );
  });

  it('puts ids without bytes, and ids unknown to the tokenizer, last', () => {
    const { order, ordinary, rankOf } = sortVocabulary(
      tokenizerOf([Uint8Array.of(9), new Uint8Array(), Uint8Array.of(3)]),
      5,
    );
    expect([...order]).toEqual([2, 0, 1, 3, 4]);
    expect(ordinary).toBe(2);
    expect(rankOf(0)).toBe(1);
    expect(() => rankOf(5)).toThrow('the model has only 5 tokens');
  });

  it('finds the longest token', () => {
    const list = ['a', 'ab', 'abc', 'b'].map((text) => new TextEncoder().encode(text));
    const { longestAt, bytesAt } = sortVocabulary(tokenizerOf(list), 4);
    expect(bytesAt(longestAt(new TextEncoder().encode('xabd'), 1))).toEqual(new TextEncoder().encode('ab'));
    expect(() => longestAt(Uint8Array.of(1), 0)).toThrow('no token for the byte 1');
  });
});
