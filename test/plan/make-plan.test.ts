import { describe, expect, it } from 'vitest';
import { bltConfigFor } from '../../src/blt/index.js';
import { parseLlamaConfig } from '../../src/llama/index.js';
import { makePlan, trainingWorks } from '../../src/plan/make-plan.js';
import { sumParameters } from '../../src/plan/parameters.js';
import { localSizesOf, type Recipe, recipeSchema } from '../../src/recipe/index.js';

/** SmolLM2-135M. */
const llama = parseLlamaConfig(
  {
    model_type: 'llama',
    vocab_size: 49_152,
    hidden_size: 576,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    intermediate_size: 1536,
    tie_word_embeddings: true,
  },
  'config.json',
);

const recipe: Recipe = recipeSchema.parse({
  name: 'test',
  stages: [
    { kind: 'end-to-end', steps: 10, batch_bytes: 8192, row_bytes: 1024, micro_batch_rows: 2, frozen: ['global'] },
    { kind: 'end-to-end', steps: 20, batch_bytes: 4096, row_bytes: 1024, keep_checkpoints: 1 },
  ],
  patcher: { steps: 5, batch_bytes: 2048, row_bytes: 512 },
});

const config = bltConfigFor(llama, localSizesOf(llama, recipe));
const plan = (flopsPerSecond: number | null, change: Partial<Recipe> = {}) =>
  makePlan({ config, recipe: { ...recipe, ...change }, sourceBytes: 1000, sourceBytesPerWeight: 2, flopsPerSecond });

describe('makePlan', () => {
  it('has a line for each stage, in order', () => {
    expect(plan(null).stages.map(({ stage }) => stage)).toEqual([
      'import',
      'remap',
      'patcher',
      'finetune 0',
      'finetune 1',
      'export',
    ]);
  });

  it('adds up disk, takes the largest memory, and sums the time of training', () => {
    const { stages, diskBytes, memoryBytes, seconds } = plan(1e12);
    expect(diskBytes).toBe(stages.reduce((sum, stage) => sum + stage.diskBytes, 0));
    expect(memoryBytes).toBe(Math.max(...stages.map(({ training }) => training?.memory.peakBytes ?? 0)));
    expect(seconds).toBeCloseTo(stages.reduce((sum, { training }) => sum + (training?.flops ?? 0), 0) / 1e12, 9);
    expect(plan(null).seconds).toBeNull();
  });

  it('knows what the weights take in the dtypes of the recipe', () => {
    const total = sumParameters(plan(null).parameters);
    const disk = (stage: string, change: Partial<Recipe> = {}) =>
      plan(null, change).stages.find((one) => one.stage === stage)?.diskBytes;
    expect(disk('import')).toBe(1000);
    expect(disk('remap')).toBe(2 * total);
    expect(disk('remap', { blt: { ...recipe.blt, dtype: 'float32' } })).toBe(4 * total);
    expect(disk('export')).toBe(2 * total);
    expect(disk('export', { export: { ...recipe.export, dtype: 'float32' } })).toBe(4 * total);
  });
});

describe('trainingWorks', () => {
  it('reads rows, frozen parts and checkpoints from the recipe', () => {
    expect(trainingWorks(recipe, config)).toMatchObject([
      { name: 'patcher', steps: 5, rowBytes: 512, rowsPerStep: 4, microBatchRows: 4, trains: ['patcher'] },
      {
        steps: 10,
        rowsPerStep: 8,
        microBatchRows: 2,
        trains: ['encoder', 'hash', 'decoder', 'head'],
        keepCheckpoints: 2,
      },
      {
        steps: 20,
        rowsPerStep: 4,
        microBatchRows: 4,
        trains: ['encoder', 'hash', 'global', 'decoder', 'head'],
        keepCheckpoints: 1,
      },
    ]);
  });
});
