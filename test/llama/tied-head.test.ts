import { expect, it } from 'vitest';
import { openLlama } from '../../src/llama/index.js';
import type { TensorInfo } from '../../src/safetensors/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { smallLlama } from './samples.js';

const folder = temporaryFolder();
const [EMBEDDING, HEAD] = ['model.embed_tokens.weight', 'lm_head.weight'];

const TIED = { tie_word_embeddings: true };

async function opened(change: Parameters<typeof smallLlama>[1]) {
  const { config, reader, close } = await openLlama(await smallLlama(folder(), change));
  const first = async (name: string) => new Float32Array((await reader.read(name)).slice().buffer)[0];
  const values = Object.fromEntries(
    await Promise.all(
      [EMBEDDING, HEAD].filter((name) => reader.tensors.has(name)).map(async (name) => [name, await first(name)]),
    ),
  );
  await close();
  return { tied: config.tiedEmbeddings, values };
}

const withHead = {
  tensors: (all: Map<string, TensorInfo>) => all.set(HEAD, { name: HEAD, shape: [6, 8], dtype: 'F32' }),
};

it('a head with its own values is used, whatever the config says', async () => {
  expect(await opened({ config: TIED, ...withHead, values: { [EMBEDDING]: 1, [HEAD]: 2 } })).toEqual({
    tied: false,
    values: { [EMBEDDING]: 1, [HEAD]: 2 },
  });
});

it('a head with the values of the embedding is tied', async () => {
  expect((await opened({ config: TIED, ...withHead, values: { [EMBEDDING]: 1, [HEAD]: 1 } })).tied).toBe(true);
});

it('a head of another type counts as separate', async () => {
  const tensors = (all: Map<string, TensorInfo>) => all.set(HEAD, { name: HEAD, shape: [6, 8], dtype: 'BF16' });
  expect((await opened({ config: TIED, tensors })).tied).toBe(false);
});

it('a tied pair that is stored only as the head is read as the embedding too', async () => {
  const tensors = (all: Map<string, TensorInfo>) => {
    all.delete(EMBEDDING);
    all.set(HEAD, { name: HEAD, shape: [6, 8], dtype: 'F32' });
  };
  expect(await opened({ config: TIED, tensors, values: { [HEAD]: 3 } })).toEqual({
    tied: true,
    values: { [EMBEDDING]: 3 },
  });
});

it('untied, both must exist', async () => {
  expect((await opened({ values: { [EMBEDDING]: 1, [HEAD]: 1 } })).tied).toBe(false);
  await expect(opened({ tensors: (all) => all.delete(HEAD) })).rejects.toThrow(
    /lacks the tensor lm_head.weight, and its config does not tie/,
  );
  await expect(opened({ tensors: (all) => all.delete(EMBEDDING) })).rejects.toThrow(
    /lacks the tensor model.embed_tokens/,
  );
});
