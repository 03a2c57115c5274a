import { describe, expect, it } from 'vitest';
import type { BltConfig, TransformerConfig } from '../../src/blt/index.js';
import { activationsOf } from '../../src/plan/activations.js';
import { type MemoryQuestion, trainingMemory } from '../../src/plan/memory.js';

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
const text = { bytes: 8, bytesPerPatch: 4 };

describe('what the backward pass keeps of a row of 8 bytes in 2 patches', () => {
  it('in a layer of the latent global transformer, by hand', () => {
    const { layers, layer, layerInput } = activationsOf(config, text, 'model').global;
    expect([layers, layerInput]).toEqual([3, 2 * 8]);
    // width 8, keys and values 4 wide, feed-forward 3, two heads over 2 x 2 pairs
    expect(layer.wide).toBe(2 * (3 * 8 + 4 + 2 * 3));
    expect(layer.narrowed).toBe(2 * (4 * 8 + 3) + 2 * 4 * 2 + 2 * 4);
  });

  it('keys count once for each block of queries that sees them', () => {
    const long = (window: number | null) =>
      activationsOf({ ...config, decoder: { ...config.decoder, window } }, { bytes: 512, bytesPerPatch: 4 }, 'model')
        .decoder.layer.narrowed;
    const positions = 512 * (4 * 4 + 3);
    // two blocks of 256 queries: 256 and 512 keys; with a window of 65 the second sees 320
    expect(long(null)).toBe(positions + 2 * 4 * (256 + 512) + 2 * 256 * (256 + 512));
    expect(long(65)).toBe(positions + 2 * 4 * (256 + 320) + 2 * 256 * (256 + 320));
  });
});

const counts = { encoder: 1e6, hash: 50e6, global: 100e6, decoder: 20e6, head: 1e6, patcher: 5e6 };
const question: MemoryQuestion = {
  config,
  counts,
  trains: ['encoder', 'hash', 'global', 'decoder', 'head'],
  text,
  rows: 2,
  rowsPerStep: 2,
  precision: 'float32',
  gradientCheckpointing: false,
  optimizerState: 'float32',
  adapterParameters: 0,
  frozenWeightBytes: 2,
};
const memory = (change: Partial<MemoryQuestion> = {}) => trainingMemory({ ...question, ...change });

describe('a stage', () => {
  it('holds 4 bytes a moved weight, 2 a frozen one, 8 of moments, and gradients of all but the table', () => {
    const { weightsBytes, momentsBytes, gradientsBytes } = memory();
    expect(weightsBytes).toBe(4 * 172e6 + 2 * 5e6);
    expect(momentsBytes).toBe(8 * 172e6);
    const touched = 7 * 4 * 2 * 8 * 1 * 4;
    expect(gradientsBytes).toBe(4 * 122e6 + touched);
  });

  it('that freezes the global transformer has neither gradients nor moments of it', () => {
    const frozen = memory({ trains: ['encoder', 'hash', 'decoder', 'head'] });
    expect(frozen.weightsBytes).toBe(4 * 72e6 + 2 * 105e6);
    expect(frozen.momentsBytes).toBe(8 * 72e6);
  });

  it('that freezes the table holds it in float32 all the same: it is gathered from', () => {
    expect(memory({ trains: ['decoder'] }).weightsBytes).toBe(4 * (20e6 + 50e6) + 2 * 107e6);
  });

  it('with adapters counts them as moved', () => {
    const lora = memory({ trains: ['encoder', 'hash', 'decoder', 'head'], adapterParameters: 3e6 });
    expect(lora.momentsBytes).toBe(8 * 75e6);
    expect(lora.weightsBytes).toBe(4 * 75e6 + 2 * 105e6);
  });

  it.each([
    ['bfloat16', 4],
    ['8-bit', 2.03125],
  ] as const)('holds moments in %s', (optimizerState, bytes) => {
    expect(memory({ optimizerState }).momentsBytes).toBe(bytes * 172e6);
  });

  it('is smaller with checkpointing and in bfloat16, and its peak is below the sum of all', () => {
    const wide = { text: { bytes: 1024, bytesPerPatch: 4 } };
    const plain = memory(wide);
    expect(memory({ ...wide, gradientCheckpointing: true }).activationsBytes).toBeLessThan(plain.activationsBytes);
    expect(memory({ ...wide, precision: 'bfloat16' }).activationsBytes).toBeLessThan(plain.activationsBytes);
    const { peakBytes, runtimeBytes, weightsBytes, momentsBytes, gradientsBytes, activationsBytes } = plain;
    expect(peakBytes).toBeLessThan(
      runtimeBytes + 1.1 * (weightsBytes + momentsBytes + gradientsBytes + activationsBytes),
    );
  });
});
