import { describe, expect, it } from 'vitest';
import { type BltConfig, bltTensors, type TransformerConfig } from '../../src/blt/index.js';
import { forwardFlops, llamaForwardFlops, meanVisibleKeys, totalFlops, trainingFlops } from '../../src/plan/flops.js';

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
  encoder: block(4, { window: 2 }),
  decoder: { ...block(4, { layers: 2 }), crossAttnAllLayers: true },
  global: block(8, { kvHeads: 1, layers: 3 }),
  patcher: block(6),
  patching: { threshold: 1, maxPatchLength: null },
  maxPositions: 100,
};

describe('meanVisibleKeys', () => {
  it.each([
    [1, null, 1],
    [4, null, (1 + 2 + 3 + 4) / 4],
    [4, 2, (1 + 2 + 2 + 2) / 4],
    [4, 100, (1 + 2 + 3 + 4) / 4],
    [5, 3, (1 + 2 + 3 + 3 + 3) / 5],
  ])('of %d positions with window %s', (positions, window, mean) => {
    expect(meanVisibleKeys(positions, window)).toBeCloseTo(mean, 12);
  });
});

describe('forward FLOPs, counted by hand for a text of 8 bytes in patches of 4', () => {
  const parts = forwardFlops(config, { bytes: 8, bytesPerPatch: 4 });

  it('encoder', () => {
    // q, o: 2·(2·4·4); k, v: 2·(2·4·4); gate, up, down: 3·(2·4·3)
    const blockWeights = 64 + 64 + 72;
    // cross k, v a byte; a quarter of: 4 → 8, and q, o on 2 rows
    expect(parts.encoder.weights).toBe(blockWeights + 64 + (64 + 2 * 64) / 4);
    // window 2: (1 + 7·2) / 8 keys; cross: each byte is a key of 2 queries
    expect(parts.encoder.attention).toBe(16 * (15 / 8) + 2 * 16);
  });

  it('encoder, with the projection that 3 · 4 = 12 features need to become 8', () => {
    const projected = forwardFlops({ ...config, crossAttnK: 3 }, { bytes: 8, bytesPerPatch: 4 });
    // one more slot: 4 features more of the pooled projection, q and o on one more row; and 12 → 8
    expect(projected.encoder.weights - parts.encoder.weights).toBe((2 * 4 * 4 + 64 + 2 * 12 * 8) / 4);
  });

  it('global, a quarter of what a patch costs', () => {
    // kv width is 8 / 2 · 1 = 4
    const blockWeights = 2 * 128 + 2 * 64 + 3 * 48;
    expect(parts.global.weights).toBe((3 * blockWeights) / 4);
    // 2 patches: (1 + 2) / 2 keys
    expect(parts.global.attention).toBe((3 * 32 * 1.5) / 4);
  });

  it('decoder and head', () => {
    const blockWeights = 64 + 64 + 72;
    const crossByte = 64;
    const crossPatch = 2 * 64;
    expect(parts.decoder.weights).toBe(2 * (blockWeights + crossByte + crossPatch / 4) + (2 * 8 * 8) / 4);
    expect(parts.decoder.attention).toBe(2 * (16 * 4.5 + 16 * 2));
    expect(parts.head).toEqual({ weights: 2 * 4 * 260, attention: 0 });
    const once = { ...config, decoder: { ...config.decoder, crossAttnAllLayers: false } };
    expect(parts.decoder.weights - forwardFlops(once, { bytes: 8, bytesPerPatch: 4 }).decoder.weights).toBe(
      64 + 128 / 4,
    );
  });

  it('patcher', () => {
    expect(parts.patcher).toEqual({ weights: 4 * 72 + 3 * 36 + 2 * 6 * 260, attention: 24 * 4.5 });
  });
});

it('agrees with the tensors of the format: 2 FLOPs a weight of every projection, when a patch is a byte', () => {
  const parts = forwardFlops(config, { bytes: 8, bytesPerPatch: 1 });
  const projections = (part: string) =>
    bltTensors(config)
      .filter((tensor) => tensor.part === part && tensor.role === 'linear')
      // A patch brings k rows to the decoder's cross-attention keys and values, and to the encoder's queries.
      .map(({ name, shape }) => {
        const rows = /decoder\.cross_attn.*[kv]_proj|encoder\.cross_attn.*[qo]_proj/.test(name) ? config.crossAttnK : 1;
        return 2 * rows * shape.reduce((a, b) => a * b, 1);
      })
      .reduce((a, b) => a + b, 0);
  for (const part of ['encoder', 'global', 'decoder', 'head', 'patcher'] as const) {
    expect(parts[part].weights, part).toBe(projections(part));
  }
});

it('agrees with 2 FLOPs a weight and position for a Llama (SmolLM2-135M: 134.5 M weights, tied)', () => {
  const smol = block(576, { layers: 30, heads: 9, kvHeads: 3, intermediateSize: 1536 });
  const flops = llamaForwardFlops(smol, { vocabSize: 49_152, tokens: 1024 });
  const norms = 61 * 576;
  expect(flops.weights).toBe(2 * (134_515_008 - norms));
});

it('training costs 3 times the forward pass, 2 for the products of a frozen part, 1 without gradients', () => {
  const forward = { weights: 100, attention: 10 };
  expect(trainingFlops(forward, 'trained')).toBe(330);
  expect(trainingFlops(forward, 'frozen')).toBe(230);
  expect(trainingFlops(forward, 'forward-only')).toBe(totalFlops(forward));
});
