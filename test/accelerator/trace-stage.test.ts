import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeHollowSource } from '../../src/accelerator/hollow-models.js';
import { traceStage } from '../../src/accelerator/trace-stage.js';
import { openLlama, parseLlamaConfig } from '../../src/llama/index.js';
import { loadRecipe } from '../../src/recipe/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

const llama = (sizes: Record<string, unknown>) =>
  parseLlamaConfig(
    {
      ...{ model_type: 'llama', hidden_size: 128, num_hidden_layers: 4, num_attention_heads: 4 },
      ...{ num_key_value_heads: 2, intermediate_size: 512, vocab_size: 1024, tie_word_embeddings: true },
      ...sizes,
    },
    'config.json',
  );

it('a source of any size takes no room on the disk, and opens as a Llama', async () => {
  const large = llama({ hidden_size: 4096, num_hidden_layers: 32, intermediate_size: 14_336, num_attention_heads: 32 });
  await writeHollowSource(folder(), large);
  const { size, blocks } = statSync(join(folder(), 'model.safetensors'));
  expect(size).toBeGreaterThan(10e9);
  expect(blocks * 512).toBeLessThan(1e6);
  const source = await openLlama(folder());
  expect(source.config).toMatchObject({ hiddenSize: 4096, layers: 32, vocabSize: 1024 });
  await source.close();
});

it('the programs of a stage have the recipe’s rows on each device, and say how they are divided', async () => {
  const recipe = await loadRecipe('tiny', { sets: ['stages.1.batch_bytes=16384', 'stages.1.micro_batch_size=2'] });
  const layout = { devices: 4, dividesVariables: true };
  const programs = await traceStage({ recipe, source: llama({}), stage: 1, layout, work: folder() });
  const [step] = programs.filter(({ text }) => text.includes('tf.aliasing_output'));
  const { sequence_length: length } = recipe.stages[1]!;
  // Two rows on each of four devices, divided by rows.
  const ids = `tensor<8x${length}xi32> {sdy.sharding = #sdy.sharding<@mesh, [{"devices"}, {}]>}`;
  expect(step!.text).toContain(ids);
  expect(step!.text).toContain('sdy.mesh @mesh = <["devices"=4]>');
  // Updated weights keep their division.
  expect(step!.text).toMatch(/tf\.aliasing_output = \d+ : i32, sdy\.sharding = #sdy\.sharding<@mesh, \[\{"devices"\}/);
  // The patcher's variables lie beside the step.
  expect(step!.otherBytes).toBeGreaterThan(0);
});
