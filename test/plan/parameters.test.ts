import { expect, it } from 'vitest';
import type { BltConfig, TransformerConfig } from '../../src/blt/index.js';
import { parametersByPart, sumParameters, usedParametersByPart } from '../../src/plan/parameters.js';

const block = (hiddenSize: number, heads: number, layers: number, intermediateSize: number): TransformerConfig => ({
  hiddenSize,
  layers,
  heads,
  kvHeads: heads,
  intermediateSize,
  rmsNormEps: 1e-5,
  rope: { type: 'default', theta: 500_000 },
  maxPositions: 4096,
  window: 512,
});

/** The released 1B model (blt-format 1.8). */
const blt1b: BltConfig = {
  vocabSize: 260,
  crossAttnK: 2,
  hash: { sizes: [3, 4, 5, 6, 7, 8], functions: 1, vocab: 500_002 },
  encoder: block(1024, 16, 1, 2816),
  decoder: { ...block(1024, 16, 9, 2816), crossAttnAllLayers: true },
  global: { ...block(2048, 16, 25, 5632), window: null },
  patcher: block(768, 12, 14, 2048),
  patching: { threshold: 1.335442066192627, maxPatchLength: null },
  maxPositions: 4096,
};

it('the parameters of the released 1B model are counted as in its documentation', () => {
  const counts = parametersByPart(blt1b);
  expect(counts.hash).toBe(6 * 500_002 * 1024);
  expect(counts.global).toBe(25 * (4 * 2048 ** 2 + 3 * 2048 * 5632 + 2 * 2048));
  expect(counts.patcher).toBe(14 * (4 * 768 ** 2 + 3 * 768 * 2048 + 2 * 768) + 2 * 260 * 768 + 768);
  expect(counts.head).toBe(260 * 1024);
  expect(counts.global / 1e9).toBeCloseTo(1.28, 2);
  expect(sumParameters(counts) / 1e9).toBeCloseTo(4.63, 2);
  expect(sumParameters(counts, ['hash', 'head'])).toBe(counts.hash + counts.head);
});

it('with one row per patch, queries and keys of the decoder’s cross-attentions are counted, but not as used', () => {
  expect(usedParametersByPart(blt1b)).toEqual(parametersByPart(blt1b));
  const oneRow = { ...blt1b, crossAttnK: 1 };
  const [all, used] = [parametersByPart(oneRow), usedParametersByPart(oneRow)];
  expect(used).toEqual({ ...all, decoder: all.decoder - 9 * (2 * 1024 ** 2 + 1024) });
});
