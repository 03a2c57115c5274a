import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { configPlanSource, localPlanSource } from '../../src/plan/plan-source.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const golden = fileURLToPath(new URL('../fixtures/golden/plain/llama', import.meta.url));
const folder = temporaryFolder();

const small = {
  model_type: 'llama',
  vocab_size: 320,
  hidden_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  intermediate_size: 96,
  tie_word_embeddings: true,
};
const parameters = 320 * 64 + 4 * 64 * 64 + 3 * 64 * 96 + 3 * 64;

it.each([
  [{}, 4],
  [{ dtype: 'bfloat16' }, 2],
  [{ torch_dtype: 'float16' }, 2],
  [{ torch_dtype: 'float32' }, 4],
])('a config without weights, %j, means %d bytes per weight', (dtype, bytes) => {
  const source = configPlanSource(JSON.stringify({ ...small, ...dtype }), 'config.json');
  expect(source).toMatchObject({ bytesPerWeight: bytes, weightBytes: bytes * parameters });
});

it('a folder is measured by its weight files, or by its config alone', async () => {
  await cp(golden, folder(), { recursive: true });
  const whole = await localPlanSource(folder());
  await rm(join(folder(), 'model.safetensors'));
  const alone = await localPlanSource(folder());
  expect(alone.config).toEqual(whole.config);
  // The file also has a header of a few kilobytes.
  expect(whole.weightBytes - alone.weightBytes).toBeGreaterThan(100);
  expect(whole.weightBytes - alone.weightBytes).toBeLessThan(10_000);
});

it('an invalid config is refused with the reason', async () => {
  expect(() => configPlanSource('{', 'x/config.json')).toThrow('x/config.json is not JSON: it is truncated.');
  expect(() => configPlanSource('{"model_type": "gpt2"}', 'x/config.json')).toThrow('model_type is "gpt2"');
  await writeFile(join(folder(), 'config.json'), '{}');
  await expect(localPlanSource(folder())).rejects.toThrow('cannot be converted');
});
