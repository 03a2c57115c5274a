import { describe, expect, it } from 'vitest';
import type { BltConfig, TransformerConfig } from '../../src/blt/index.js';
import { closedFormMemory } from '../../src/plan/closed-form-memory.js';

const block = (hiddenSize: number): TransformerConfig => ({
  hiddenSize,
  layers: 1,
  heads: 2,
  kvHeads: 2,
  intermediateSize: 3,
  rmsNormEps: 1e-5,
  rope: { type: 'default', theta: 10_000 },
  maxPositions: 100,
  window: null,
});

/** Local models 32 wide, of which 8 channels hold a whole embedding; two functions and three sizes. */
const config: BltConfig = {
  vocabSize: 260,
  crossAttnK: 2,
  hash: { sizes: [2, 3, 4], functions: 2, vocab: 100 },
  encoder: block(32),
  decoder: { ...block(32), crossAttnAllLayers: true },
  global: block(8),
  patcher: block(6),
  patching: { threshold: 1, maxPatchLength: null },
  maxPositions: 100,
};

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
    const square = { ...config, crossAttnK: 1, encoder: block(8), decoder: { ...block(8), crossAttnAllLayers: true } };
    const solveBytes = 100_000;
    expect(closedFormMemory(square, { solveBytes }, 4)).toBe(8 * 8 * (8 + 8) + solveBytes * (512 + 4));
  });
});
