import { describe, expect, it } from 'vitest';
import { hashRows } from '../../../../src/blt/index.js';
import {
  orderMask,
  orderOfRows,
  rowCount,
  rowsOfText,
  rowsPerPosition,
} from '../../../../src/finetune/stages/closed-form/ngram-rows.js';
import { uniformOf } from '../../../../src/random.js';

/** Sizes that are not in order, and two functions: seven rows per position. */
const hash = { sizes: [4, 2, 3], functions: 2, vocab: 101 };
const known = () => Number.POSITIVE_INFINITY;

describe('the rows of a text', () => {
  const ids = Int32Array.from([...Buffer.from('the thin thing')].map((byte) => byte + 4));
  const rows = rowsOfText(ids, hash);

  it('are a byte’s own, then those of the model’s fused table, which follows the 260 byte ids', () => {
    const hashed = hashRows(ids, hash);
    expect(rowsPerPosition(hash)).toBe(7);
    expect(rows).toHaveLength(7 * ids.length);
    ids.forEach((id, at) => {
      expect([...rows.subarray(7 * at, 7 * at + 7)]).toEqual([
        id,
        ...[...hashed.subarray(6 * at, 6 * at + 6)].map((row) => 260 + row),
      ]);
    });
  });

  it('are within the table, and the last of its rows can be read', () => {
    expect(rowCount(hash)).toBe(260 + 6 * 101);
    expect(Math.max(...rows)).toBeLessThan(rowCount(hash));
    expect(Math.max(...rows)).toBeGreaterThanOrEqual(260 + 5 * 101);
  });

  it('have the n-gram sizes of the tables, function by function', () => {
    expect(orderOfRows(hash)).toEqual([1, 4, 2, 3, 4, 2, 3]);
  });
});

describe('orderMask', () => {
  const sizes = orderOfRows(hash);
  const rowAt = (mask: Float32Array, position: number) => [...mask.subarray(7 * position, 7 * position + 7)];
  const upTo = (largest: number) => sizes.map((size) => (size <= largest ? 1 : 0));

  it('drops nothing with a share of 0 where everything is known', () => {
    const mask = orderMask(50, hash, { known, droppedShare: 0, uniform: uniformOf('a') });
    expect(mask).toEqual(new Float32Array(50 * 7).fill(1));
  });

  it('leaves out n-grams that are longer than what is known', () => {
    const mask = orderMask(4, hash, { known: (at) => at + 1, droppedShare: 0, uniform: uniformOf('a') });
    expect([0, 1, 2, 3].map((at) => rowAt(mask, at))).toEqual([1, 2, 3, 4].map(upTo));
  });

  it('with a share of 1 keeps, equally often, the byte alone and the n-grams up to each size but the largest', () => {
    const count = 6000;
    const mask = orderMask(count, hash, { known, droppedShare: 1, uniform: uniformOf('b') });
    const seen = new Map<string, number>();
    for (let at = 0; at < count; at++) {
      const key = rowAt(mask, at).join('');
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual([1, 2, 3].map((size) => upTo(size).join('')).sort());
    for (const times of seen.values()) expect(Math.abs(times / count - 1 / 3)).toBeLessThan(0.03);
  });

  it('drops n-grams at about the share of positions that is asked for', () => {
    const count = 10_000;
    const mask = orderMask(count, hash, { known, droppedShare: 0.3, uniform: uniformOf('c') });
    let dropped = 0;
    for (let at = 0; at < count; at++) if (rowAt(mask, at).includes(0)) dropped++;
    expect(Math.abs(dropped / count - 0.3)).toBeLessThan(0.02);
  });

  it('never drops a byte’s own row', () => {
    const mask = orderMask(200, hash, { known: () => 1, droppedShare: 1, uniform: uniformOf('d') });
    for (let at = 0; at < 200; at++) expect(rowAt(mask, at)).toEqual(upTo(1));
  });
});
