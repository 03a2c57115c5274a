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

  it('has the tables’ content channels in float32, and two moments of each, where the text of the solves is short', () => {
    expect(closedFormMemory(config, { solveBytes: 0 }, 4)).toBe(SUMS + 3 * 4 * (260 + 600) * 8);
  });

  it('has, in float16, an expectation for each byte of the solves and 32 values for each patch of 4 bytes', () => {
    const solveBytes = 100_000;
    expect(closedFormMemory(config, { solveBytes }, 4)).toBe(SUMS + solveBytes * (2 * 256 + (2 * 32) / 4));
  });

  it('solves from a single width where patches are as wide as the source', () => {
    const square = {
      ...config,
      crossAttnK: 1,
      encoder: smallTransformer(8),
      decoder: { ...smallTransformer(8), crossAttnAllLayers: true },
    };
    const solveBytes = 100_000;
    expect(closedFormMemory(square, { solveBytes }, 4)).toBe(8 * 8 * (8 + 8) + solveBytes * (512 + 4));
  });
});
