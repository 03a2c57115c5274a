import { describe, expect, it } from 'vitest';
import { closedFormMemory } from '../../src/plan/closed-form-memory.js';
import { smallBlt, smallTransformer } from '../support/small-blt.js';

/** Local models 32 wide, of which 8 channels hold a whole embedding; two functions and three sizes. */
const config = smallBlt({
  hash: { sizes: [2, 3, 4], functions: 2, vocab: 100 },
  encoder: smallTransformer(32),
  decoder: { ...smallTransformer(32), crossAttnAllLayers: true },
  global: smallTransformer(8),
});

describe('closedFormMemory', () => {
  // 64 pooled features to 8 channels, in float64
  const SUMS = 8 * 64 * (64 + 8);
  /** The tables once more, in float32. */
  const TABLES = 4 * (260 + 600) * 32;

  it('has the tables’ content channels in float32, and two moments of each, where an encoder is fitted by steps', () => {
    const steps = 3 * 4 * (260 + 600) * 8;
    expect(closedFormMemory(config, { solveBytes: 0, encoder: 'tables' }, 4)).toBe(SUMS + TABLES + steps);
    expect(closedFormMemory(config, { solveBytes: 0, encoder: 'back-off' }, 4)).toBe(SUMS + TABLES);
  });

  it('has, in float16, an expectation for each byte of the solves and 32 values for each patch of 4 bytes', () => {
    const solveBytes = 100_000;
    const solves = solveBytes * (2 * 256 + (2 * 32) / 4);
    expect(closedFormMemory(config, { solveBytes, encoder: 'back-off' }, 4)).toBe(SUMS + TABLES + solves);
  });

  it('solves from a single width where patches are as wide as the source', () => {
    const square = {
      ...config,
      crossAttnK: 1,
      encoder: smallTransformer(8),
      decoder: { ...smallTransformer(8), crossAttnAllLayers: true },
    };
    const solveBytes = 100_000;
    const [sums, solves] = [8 * 8 * (8 + 8), solveBytes * (512 + 4)];
    expect(closedFormMemory(square, { solveBytes, encoder: 'back-off' }, 4)).toBe(sums + TABLES / 4 + solves);
  });
});
