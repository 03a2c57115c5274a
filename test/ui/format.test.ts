import { describe, expect, it } from 'vitest';
import { counted, humanBytes, humanCount, humanDuration, humanFlops } from '../../src/ui/format.js';

describe('numbers for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 KB'],
    [999_499, '999 KB'],
    [999_500, '1.00 MB'],
    [94_300_000, '94.3 MB'],
    [4_630_000_000, '4.63 GB'],
    [12_500_000_000_000, '12.5 TB'],
  ])('prints %d bytes as %s', (bytes, text) => {
    expect(humanBytes(bytes)).toBe(text);
  });

  it.each([
    [7, '7'],
    [134_515_008, '135 M'],
    [1_277_952_000, '1.28 B'],
  ])('prints a count of %d as %s', (count, text) => {
    expect(humanCount(count)).toBe(text);
  });

  it.each([
    [0, '0 files'],
    [1, '1 file'],
    [2, '2 files'],
  ])('prints %d and a noun as %s', (count, text) => {
    expect(counted(count, 'file')).toBe(text);
  });

  it.each([
    [9.22e11, '922 GFLOP'],
    [1e24, '1.00 YFLOP'],
  ])('prints %d operations as %s', (flops, text) => {
    expect(humanFlops(flops)).toBe(text);
  });

  it.each([
    [0.042, '42 ms'],
    [3.14, '3.1 s'],
    [9.97, '10 s'],
    [59.6, '1 min'],
    [61, '1 min 1 s'],
    [3599, '59 min 59 s'],
    [3723, '1 h 2 min'],
    [86_399, '1 d'],
    [90_000, '1 d 1 h'],
    [3.2e7, '1 years 5 d'],
    [Number.POSITIVE_INFINITY, 'unknown'],
  ])('prints %d seconds as %s', (seconds, text) => {
    expect(humanDuration(seconds)).toBe(text);
  });
});
