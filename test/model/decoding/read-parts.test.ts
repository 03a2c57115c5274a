import { describe, expect, it } from 'vitest';
import { readParts } from '../../../src/model/decoding/read-parts.js';

const LIMITS = { chunk: 256, counts: [1, 16, 32, 64, 128, 256], separateSlots: 1, together: false };
const ids = (...lengths: number[]) => lengths.map((length, slot) => Array.from({ length }, (_, i) => 1000 * slot + i));

describe('the parts of a read', () => {
  it('are chunks of each slot, padded to the smallest number for which there is a step', () => {
    const parts = readParts(ids(300, 0, 20), LIMITS);
    expect(parts.map(({ group, count, from }) => [group, count, from])).toEqual([
      [[0], 256, 0],
      [[0], 64, 256],
      [[2], 32, 0],
    ]);
    expect(parts[1]!.ids).toEqual([Array.from({ length: 44 }, (_, i) => 256 + i)]);
  });

  it('join slots with one id each, and leave the others empty in their step', () => {
    const parts = readParts(ids(1, 5, 1), LIMITS);
    expect(parts.map(({ group, count }) => [group, count])).toEqual([
      [[1], 16],
      [[0, 1, 2], 1],
    ]);
    expect(parts[1]!.ids).toEqual([[0], [], [2000]]);
  });

  it('are separate for as many slots with one id as are faster separately', () => {
    const parts = readParts(ids(1, 1), { ...LIMITS, separateSlots: 2 });
    expect(parts.map(({ group }) => group)).toEqual([[0], [1]]);
  });

  it('join slots with a few ids each if asked', () => {
    const parts = readParts(ids(200, 0, 20, 1, 64), { ...LIMITS, together: true });
    expect(parts.map(({ group, count }) => [group, count])).toEqual([
      [[0], 256],
      [[2, 3, 4], 64],
    ]);
    expect(parts[1]!.ids.map(({ length }) => length)).toEqual([20, 1, 64]);
  });

  it('are the slot’s own if it is the only one with a few ids', () => {
    const parts = readParts(ids(0, 3), { ...LIMITS, together: true });
    expect(parts).toEqual([{ group: [1], ids: [[1000, 1001, 1002]], count: 16, from: 0 }]);
  });
});
