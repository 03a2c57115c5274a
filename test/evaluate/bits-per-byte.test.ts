import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/index.js';
import { llamaBitsPerByte } from '../../src/evaluate/index.js';
import { openLlamaModel } from '../../src/model/index.js';
import { loadTokenizer } from '../../src/tokenizer/index.js';

const TINY = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
const texts = ['A function returns a value.', 'Another text.'].map((text) => new TextEncoder().encode(text));

beforeAll(() => startEngine({ threads: 2 }));

it('a source is not measured on texts that its tokens do not spell', async () => {
  const model = await openLlamaModel(TINY);
  const tokenizer = await loadTokenizer(TINY);
  // Like a vocabulary without byte tokens, which writes <unk>.
  const lossy = { ...tokenizer, spells: (text: string) => text.startsWith('A function') };
  const first = await llamaBitsPerByte(model, tokenizer, texts.slice(0, 1));
  expect(await llamaBitsPerByte(model, lossy, texts)).toEqual(first);
  expect((await llamaBitsPerByte(model, tokenizer, texts)).byteCount).toBeGreaterThan(first.byteCount);
  expect((await llamaBitsPerByte(model, lossy, texts.slice(1))).byteCount).toBe(0);
  model.dispose();
});
