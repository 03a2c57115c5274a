import { describe, expect, it } from 'vitest';
import { BOE, BOS, BYTE_OFFSET, EOS, PREFIX_CLASSES } from '../../../../src/blt/index.js';
import type { PackedRow } from '../../../../src/data/index.js';
import {
  apportion,
  countPrefixes,
  prefixClusters,
  prefixesOf,
} from '../../../../src/finetune/stages/closed-form/prefix-clusters.js';
import { packedRow } from '../../../support/packed-row.js';

/** `count` prefixes of two characters that end with `last`, in alphabetical order. */
const prefixesEndingWith = (last: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${String.fromCharCode(128 + i)}${last}`);

describe('prefixClusters', () => {
  it('gives every prefix a class of its own where there are few, and one more to all others', () => {
    const clusters = prefixClusters(
      new Map([
        ['a', 1],
        ['', 9],
        ['th', 5],
      ]),
    );
    expect(clusters.count).toBe(4);
    expect(['', 'th', 'a', 'h', 'unseen'].map(clusters.of)).toEqual([0, 1, 2, 3, 3]);
  });

  it('classes rarer prefixes by their last byte, and those with a rare last byte together', () => {
    const { prefixes, lastBytes } = PREFIX_CLASSES;
    const common = prefixesEndingWith('-', prefixes);
    // One last byte more than there are classes, each less common than the one before; the first by the sum of two prefixes.
    const endings = Array.from({ length: lastBytes + 1 }, (_, i) => String.fromCharCode(65 + i));
    const counts = new Map(common.map((prefix, i) => [prefix, 10_000 - i]));
    for (const [i, ending] of endings.entries()) counts.set(`x${ending}`, i === 0 ? 40 : 70 - i);
    counts.set('yA', 40);
    const clusters = prefixClusters(counts);
    expect(clusters.count).toBe(prefixes + lastBytes + 1);
    expect(common.map(clusters.of)).toEqual(common.map((_, i) => i));
    expect(endings.map((ending) => clusters.of(`x${ending}`))).toEqual(endings.map((_, i) => prefixes + i));
    expect(clusters.of('yA')).toBe(prefixes);
    // Never counted: classed by the last byte as well.
    expect(clusters.of('unseen B')).toBe(prefixes + 1);
    expect(clusters.of('unseen ?')).toBe(clusters.count - 1);
    // A last byte is common among the rarer prefixes only: all that end with this one have classes of their own.
    expect(clusters.of('unseen -')).toBe(clusters.count - 1);
  });

  it('breaks ties by the bytes, in whatever order the prefixes were counted', () => {
    const { prefixes } = PREFIX_CLASSES;
    const all = prefixesEndingWith('!', prefixes + 1);
    const forward = prefixClusters(new Map(all.map((prefix) => [prefix, 3])));
    const backward = prefixClusters(new Map([...all].reverse().map((prefix) => [prefix, 3])));
    const classes = all.map((_, i) => i);
    expect(all.map(forward.of)).toEqual(classes);
    expect(all.map(backward.of)).toEqual(classes);
  });

  it('has one class where no prefix was counted', () => {
    const clusters = prefixClusters(new Map());
    expect([clusters.count, clusters.of(''), clusters.of('a')]).toEqual([1, 0, 0]);
  });
});

describe('prefixesOf', () => {
  const ids = (text: string) => [...Buffer.from(text, 'latin1')].map((byte) => byte + BYTE_OFFSET);
  /** Tokens of three bytes and a shorter rest. */
  const tokensOf = (bytes: Uint8Array) =>
    Array.from({ length: Math.ceil(bytes.length / 3) }, (_, i) => ({
      rank: i,
      length: Math.min(3, bytes.length - 3 * i),
    }));

  it('are the bytes read of the token that the next byte belongs to, in each document of a row', () => {
    const row: PackedRow = packedRow([
      [BOS, ...ids('abcdé'), EOS],
      // The document goes on in the next row.
      [BOS, ...ids('wxyz')],
    ]);
    expect(prefixesOf(row, tokensOf)).toEqual(
      [
        // BOS predicts a, a predicts b, and so on; the last byte predicts EOS, and EOS nothing.
        ['', 'a', 'ab', '', 'd', null, null],
        ['', 'w', 'wx', '', null],
      ].flat(),
    );
  });

  it('are null in padding', () => {
    const row = packedRow([[BOS, ...ids('ab'), EOS]]);
    const padded = { ...row, ids: Int32Array.from([...row.ids, BOE, BOE]) };
    expect(prefixesOf(padded, tokensOf)).toEqual(['', 'a', null, null, null, null]);
  });

  it('are null throughout a document without bytes', () => {
    expect(prefixesOf(packedRow([[BOS, EOS], [BOS]]), tokensOf)).toEqual([null, null, null]);
  });

  it('are counted without the nulls', () => {
    const counts = countPrefixes(['', 'a', null, '', null]);
    expect([...counts]).toEqual([
      ['', 2],
      ['a', 1],
    ]);
  });
});

describe('apportion', () => {
  it.each([
    ['exact shares', 10, [1, 2, 2], [2, 4, 4]],
    ['the units left over to the largest remainders', 11, [3, 5, 2], [3, 6, 2]],
    ['the first of equal remainders', 2, [1, 1, 1, 1], [1, 1, 0, 0]],
    ['nothing to a share of zero', 5, [0, 1, 0], [0, 5, 0]],
    ['fewer units than shares', 1, [0.2, 0.5, 0.3], [0, 1, 0]],
    ['no units', 0, [1, 2], [0, 0]],
  ])('gives %s: %d units among %j', (_, units, shares, given) => {
    expect([...apportion(units, shares)]).toEqual(given);
  });

  it('gives whole numbers that add up and are within one unit of proportional', () => {
    const shares = Float64Array.from({ length: 127 }, (_, i) => Math.abs(Math.sin(12.9898 * (i + 1))) ** 3);
    const total = shares.reduce((sum, share) => sum + share, 0);
    for (const units of [1, 100, 127, 1536]) {
      const given = apportion(units, shares);
      expect(given.reduce((sum, count) => sum + count, 0)).toBe(units);
      given.forEach((count, i) => {
        expect(Math.abs(count - (units * shares[i]!) / total)).toBeLessThan(1);
      });
    }
  });
});
