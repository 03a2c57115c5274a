import type { BltConfig, TransformerConfig } from '../../src/blt/index.js';

/** A transformer of one layer, small enough to count by hand. */
export const smallTransformer = (hiddenSize: number, rest: Partial<TransformerConfig> = {}): TransformerConfig => ({
  hiddenSize,
  layers: 1,
  heads: 2,
  kvHeads: 2,
  intermediateSize: 3,
  rmsNormEps: 1e-5,
  rope: { type: 'default', theta: 10_000 },
  maxPositions: 100,
  window: null,
  ...rest,
});

/** A BLT of such transformers: local models of width 4, a latent global transformer of width 8, one hash table of 10 rows. */
export const smallBlt = (rest: Partial<BltConfig> = {}): BltConfig => ({
  vocabSize: 260,
  crossAttnK: 2,
  hash: { sizes: [3], functions: 1, vocab: 10 },
  encoder: smallTransformer(4),
  decoder: { ...smallTransformer(4, { layers: 2 }), crossAttnAllLayers: true },
  global: smallTransformer(8, { kvHeads: 1, layers: 3 }),
  patcher: smallTransformer(6),
  patching: { threshold: 1, maxPatchLength: null },
  maxPositions: 100,
  ...rest,
});
