import { describe, expect, it } from 'vitest';
import { bltConfigFor, deriveLocalSizes, textPositions } from '../../src/blt/index.js';

const SOURCE = {
  hiddenSize: 64,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  intermediateSize: 128,
  rmsNormEps: 1e-5,
  rope: { type: 'default', theta: 10_000 },
} as const;

describe('the positions of a text', () => {
  it('are limited by the local models, not by the config’s limit on patches', () => {
    const config = bltConfigFor(SOURCE, deriveLocalSizes(SOURCE));
    expect(config.maxPositions).toBe(4096);
    expect(textPositions(config)).toBe(24_576);
    expect(textPositions({ ...config, decoder: { ...config.decoder, maxPositions: 100 } })).toBe(100);
  });
});
