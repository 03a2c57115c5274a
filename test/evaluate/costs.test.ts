import { describe, expect, it } from 'vitest';
import { bltConfigFor, deriveLocalSizes } from '../../src/blt/index.js';
import { modelCosts, sourceCosts, totalCost } from '../../src/evaluate/index.js';
import { parseLlamaConfig } from '../../src/llama/index.js';

const LLAMA = {
  ...{ model_type: 'llama', hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 4, num_key_value_heads: 2 },
  ...{ intermediate_size: 160, vocab_size: 1000, rms_norm_eps: 1e-5, max_position_embeddings: 128 },
};
const llama = (tied: boolean) => parseLlamaConfig({ ...LLAMA, tie_word_embeddings: tied }, 'config.json');
const blt = bltConfigFor(llama(true), deriveLocalSizes(llama(true)));

/** Weights of a block: queries and output, keys and values, and the feed-forward network. */
const BLOCK = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 160;

describe('what a byte costs', () => {
  it.each([true, false])('a source reads its blocks and its head once per token; tied embeddings: %s', (tied) => {
    const [blocks, head] = sourceCosts(llama(tied), blt.global, 4);
    expect(blocks!.weightBytes).toBe((2 * 3 * BLOCK) / 4);
    expect(head).toEqual({ part: 'head', flops: (2 * 64 * 1000) / 4, weightBytes: (2 * 64 * 1000) / 4 });
    // Two operations per weight, and those of attention.
    expect(blocks!.flops).toBeGreaterThan((2 * 3 * BLOCK) / 4);
  });

  it('a BLT reads its latent global transformer, and what patches ask of bytes, once per patch', () => {
    const [small, large] = [4, 8].map((bytesPerPatch) => modelCosts(blt, bytesPerPatch));
    const global = small!.findIndex(({ part }) => part === 'global');
    expect(small![global]!.weightBytes).toBe(2 * large![global]!.weightBytes);
    expect(small![global]!.weightBytes).toBeGreaterThanOrEqual((2 * 3 * BLOCK) / 4);
    small!.forEach(({ part, weightBytes }, i) => {
      if (part === 'patcher' || part === 'head') expect(weightBytes).toBe(large![i]!.weightBytes);
      else expect(weightBytes).toBeGreaterThan(large![i]!.weightBytes);
    });
    expect(totalCost(small!).flops).toBeGreaterThan(totalCost(large!).flops);
  });
});
