import { expect, it } from 'vitest';
import { traceStage } from '../../src/accelerator/trace-stage.js';
import { openLlama } from '../../src/llama/index.js';
import { loadRecipe } from '../../src/recipe/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('decoding has steps of the patcher, the local models and the global transformer, for a prompt and for one byte', async () => {
  const { config: source } = await openLlama('assets/tiny-llama');
  const recipe = await loadRecipe('tiny', {});
  const layout = { devices: 1, dividesVariables: false };
  const programs = await traceStage({ recipe, source, stage: 'decoding', layout, work: folder() });
  const withIds = (count: number) => programs.filter(({ text }) => text.includes(`%a0: tensor<${count}xi32>`));
  expect(withIds(256).length).toBeGreaterThan(0);
  expect(withIds(1).length).toBeGreaterThan(0);
  // The caches of keys and values are changed in place.
  expect(programs.some(({ text }) => text.includes('tf.aliasing_output'))).toBe(true);
  expect(programs.length).toBeGreaterThanOrEqual(6);
});
