import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../../src/llama/index.js';
import { modelName, renamedReader, storedNames } from '../../src/llama/tensor-names.js';
import type { TensorReader } from '../../src/safetensors/index.js';
import { SMALL } from './samples.js';

const config = parseLlamaConfig({ ...SMALL, tie_word_embeddings: true }, 'c');

describe('the model’s name of a stored tensor', () => {
  it.each([
    ['layers.0.mlp.up_proj.weight', 'model.layers.0.mlp.up_proj.weight'],
    ['embed_tokens.weight', 'model.embed_tokens.weight'],
    ['model.norm.weight', 'model.norm.weight'],
    ['model.model.norm.weight', 'model.norm.weight'],
    ['model.lm_head.weight', 'lm_head.weight'],
    ['lm_head.weight', 'lm_head.weight'],
    // Layer 7 does not belong to the model, and transformers does not remove wrappers' prefixes.
    ['layers.7.mlp.up_proj.weight', 'layers.7.mlp.up_proj.weight'],
    ['_orig_mod.model.norm.weight', '_orig_mod.model.norm.weight'],
    ['score.weight', 'score.weight'],
  ])('of %s is %s', (stored, name) => {
    expect(modelName(config)(stored)).toBe(name);
  });
});

it('two stored names of one tensor are refused', () => {
  const name = modelName(config);
  expect(() => storedNames(['norm.weight', 'model.norm.weight'], name, 'here')).toThrow(
    /here contains both "norm.weight" and "model.norm.weight"/,
  );
  expect(storedNames(['norm.weight', 'x'], name, 'here')).toEqual(
    new Map([
      ['model.norm.weight', 'norm.weight'],
      ['x', 'x'],
    ]),
  );
});

it('a renamed reader accepts only the new names, and reads under the old ones', async () => {
  const read: string[] = [];
  const stored: TensorReader = {
    tensors: new Map([['old', { name: 'old', dtype: 'U8', shape: [2] }]]),
    metadata: { format: 'pt' },
    async read(name, range) {
      read.push(`${name} ${range?.offset}`);
      return new Uint8Array(1);
    },
    async close() {
      read.push('closed');
    },
  };
  const reader = renamedReader(stored, new Map([['new', 'old']]), 'here');
  expect([...reader.tensors.values()]).toEqual([{ name: 'new', dtype: 'U8', shape: [2] }]);
  expect(reader.metadata).toEqual({ format: 'pt' });
  await reader.read('new', { offset: 1, length: 1 });
  await expect(reader.read('old')).rejects.toThrow(/here lacks the tensor "old"/);
  await reader.close();
  expect(read).toEqual(['old 1', 'closed']);
});
