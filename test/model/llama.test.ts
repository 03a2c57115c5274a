import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bltConfigFor, deriveLocalSizes } from '../../src/blt/index.js';
import { startEngine, tf } from '../../src/engine/index.js';
import { openLlama } from '../../src/llama/index.js';
import { llamaLayers, openBlt, openLlamaModel } from '../../src/model/index.js';
import { blockContext, blocks } from '../../src/model/transformer.js';
import { remap } from '../../src/remap/index.js';
import { openSafetensorsFile, toFloat32 } from '../../src/safetensors/index.js';
import { goldenPath, maxDifference } from '../support/golden.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-llama-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function expected(name: string): Promise<{ values: Float32Array; shape: readonly number[] }> {
  const reader = await openSafetensorsFile(goldenPath('plain/llama-expected.safetensors'));
  const values = toFloat32(await reader.read(name), 'F32');
  const { shape } = reader.tensors.get(name)!;
  await reader.close();
  return { values, shape };
}

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

it('the Llama model computes transformers’ logits', async () => {
  const model = await openLlamaModel(goldenPath('plain/llama'));
  const inputs = await expected('inputs_embeds');
  const wanted = await expected('last_layer_output');
  const [rows, length, hidden] = inputs.shape.length === 3 ? inputs.shape : [1, ...inputs.shape];
  const found = tf.tidy(() =>
    llamaLayers(model, tf.tensor(inputs.values, [rows! * length!, hidden!]), rows).dataSync(),
  );
  expect(maxDifference(found, wanted.values)).toBeLessThan(1e-4);
  model.dispose();
});

it('the latent global transformer to which a Llama is remapped computes the same hidden states', async () => {
  const source = await openLlama(goldenPath('plain/llama'));
  const config = bltConfigFor(source.config, deriveLocalSizes(source.config));
  await remap({ source, config, out: join(folder, 'blt'), seed: 1, dtype: 'source' });
  await source.close();
  const model = await openBlt(join(folder, 'blt'));
  const inputs = await expected('inputs_embeds');
  const wanted = await expected('last_layer_output');
  const [rows, length, hidden] = inputs.shape.length === 3 ? inputs.shape : [1, ...inputs.shape];
  const found = tf.tidy(() => {
    const context = blockContext(config.global, { rows: rows!, length: length!, documents: null });
    const embedded = tf.tensor(inputs.values, [rows! * length!, hidden!]);
    return blocks(embedded, model.params, 'model.global_transformer', context).dataSync();
  });
  expect(maxDifference(found, wanted.values)).toBeLessThan(1e-4);
  model.dispose();
});
