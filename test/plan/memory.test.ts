import { expect, it } from 'vitest';
import type { BltConfig, TransformerConfig } from '../../src/blt/index.js';
import { activationFloats, totalMemoryBytes, trainingMemory } from '../../src/plan/memory.js';

const block = (hiddenSize: number, rest: Partial<TransformerConfig> = {}): TransformerConfig => ({
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

const config: BltConfig = {
  vocabSize: 260,
  crossAttnK: 2,
  hash: { sizes: [3], functions: 1, vocab: 10 },
  encoder: block(4),
  decoder: { ...block(4, { layers: 2 }), crossAttnAllLayers: true },
  global: block(8, { kvHeads: 1, layers: 3 }),
  patcher: block(6),
  patching: { threshold: 1, maxPatchLength: null },
  maxPositions: 100,
};

it('counts 16 bytes a trained weight and 4 a frozen one', () => {
  const memory = trainingMemory({ usedParameters: 10, trainedParameters: 4, activationFloats: 100, rows: 2 });
  expect(memory).toEqual({ weightsBytes: 40, gradientsBytes: 16, momentsBytes: 32, activationsBytes: 800 });
  expect(totalMemoryBytes(memory)).toBe(888);
});

it('counts the activations of a row of 8 bytes in patches of 4 by hand', () => {
  const text = { bytes: 8, bytesPerPatch: 4 };
  const logits = 2 * 260 * 8;
  expect(activationFloats(config, text, 'patcher')).toBe(8 * (7 * 6 + 3 * 6 + 4 * 3 + 2 * 8) + logits);
  const local = 8 * (7 * 4 + 3 * 4 + 4 * 3 + 2 * 8);
  const encoderCross = 4 * 12 + 8 * (4 + 8);
  const global = 3 * 2 * (7 * 8 + 3 * 4 + 4 * 3 + 2 * 2);
  const decoderCross = 8 * 12 + 4 * (4 + 8);
  expect(activationFloats(config, text, 'model')).toBe(
    local + encoderCross + global + 2 * local + 2 * decoderCross + logits,
  );
});
