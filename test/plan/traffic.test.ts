import { describe, expect, it } from 'vitest';
import type { BltConfig, StageShape, TransformerConfig } from '../../src/blt/index.js';
import type { MemoryInputs } from '../../src/plan/memory.js';
import { minimumTrafficBytes } from '../../src/plan/traffic.js';

const block = (hiddenSize: number, layers: number): TransformerConfig => ({
  ...{ hiddenSize, layers, heads: 2, kvHeads: 2, intermediateSize: 3, rmsNormEps: 1e-5, window: null },
  ...{ rope: { type: 'default' as const, theta: 10_000 }, vocabSize: 260, maxPositions: 100 },
});
const config: BltConfig = {
  ...{ vocabSize: 260, crossAttnK: 1, maxPositions: 100, patching: { threshold: 1, maxPatchLength: null } },
  hash: { sizes: [3], functions: 1, vocab: 1000 },
  encoder: block(4, 1),
  decoder: { ...block(4, 1), crossAttnAllLayers: true },
  global: block(8, 2),
  patcher: block(6, 1),
};
const endToEnd = (...frozen: 'global'[]): StageShape => ({ kind: 'end-to-end', frozen, losses: { prefix_kl: 0 } });

/** A model whose matrices are large and whose text is short, so that nearly all traffic is that of weights. */
const question: MemoryInputs = {
  ...{ config, source: { vocabSize: 1000, bytesPerToken: 2 }, text: { bytes: 8, bytesPerPatch: 4 } },
  counts: { encoder: 0, hash: 4000, global: 100e6, decoder: 0, head: 0, patcher: 0 },
  stage: endToEnd(),
  ...{ rows: 1, rowsPerStep: 4, precision: 'float32', gradientCheckpointing: false, optimizerState: 'float32' },
  muon: { parameters: 0, flopsPerStep: 0 },
  ...{ adapterParameters: 0, loadsSourceLayers: false, closedForm: null, frozenWeightBytes: 2 },
};
const weightBytes = (changes: Partial<MemoryInputs>) =>
  Math.round(minimumTrafficBytes({ ...question, ...changes }) / 1e8) / 10;

describe('the least traffic of 100 million weights, in GB', () => {
  it.each([
    ['float32: read twice, and a gradient added to the sum', {}, 1.6],
    ['recomputed: read three times', { gradientCheckpointing: true }, 2],
    ['bfloat16: read once, and a copy written and read twice', { precision: 'bfloat16' }, 1.8],
    // The gradient is only written, then read; the weight and two moments are read and written.
    ['updated by the same program, if there is one micro-batch', { rowsPerStep: 1 }, 1.2 + 0.4 * 7],
    ['updated with small moments', { rowsPerStep: 1, optimizerState: 'bfloat16' }, 1.2 + 0.4 * 5],
    ['frozen, as the checkpoint stores them', { stage: endToEnd('global') }, 0.4],
  ] as [string, Partial<MemoryInputs>, number][])('%s', (_what, changes, gigabytes) => {
    expect(weightBytes(changes)).toBe(gigabytes);
  });
});

describe('the least traffic of activations', () => {
  const without = { ...question, counts: { ...question.counts, hash: 0, global: 0 } };
  const of = (changes: Partial<MemoryInputs> = {}) => minimumTrafficBytes({ ...without, ...changes });
  const ROWS_OF_TABLES = 2 * 4 * 8 * 4;

  it('is in proportion to the rows', () => {
    expect(of({ rows: 3 })).toBe(3 * of());
  });

  it('counts each value five times, and seven if it is computed twice', () => {
    const values = (of() - ROWS_OF_TABLES) / 5;
    expect(of({ gradientCheckpointing: true })).toBe(7 * values + ROWS_OF_TABLES);
  });

  it('leaves out the probabilities of attention, which alone grow with the square of the length', () => {
    const long = (bytes: number) => of({ text: { bytes, bytesPerPatch: 4 } });
    expect(long(256)).toBe(2 * long(128));
  });
});

it('a stage in closed form takes no steps', () => {
  const closedForm = { solveBytes: 1000, encoder: 'back-off' } as const;
  expect(minimumTrafficBytes({ ...question, stage: { kind: 'closed-form' }, closedForm })).toBe(0);
});
