import { describe, expect, it } from 'vitest';
import { bltTensors, readBltConfig } from '../../../src/blt/index.js';
import { torchSettings } from '../../../src/export/index.js';
import { recipeSchema } from '../../../src/recipe/index.js';
import { goldenPath } from '../../support/golden.js';

const recipe = (...stages: object[]) => recipeSchema.parse({ name: 'test', seed: 7, stages });
const config = await readBltConfig(goldenPath('plain/blt'));

describe('the settings for PyTorch', () => {
  it('have the last end-to-end stage, and the order of the text that the stage reads', () => {
    const first = { kind: 'end-to-end', steps: 3 };
    const last = { kind: 'end-to-end', steps: 9, batch_bytes: 3000, sequence_length: 1024, betas: [0.8, 0.9] };
    const settings = torchSettings(config, recipe(first, { kind: 'join', steps: 1 }, last));
    expect(settings).toMatchObject({ steps: 9, rows_per_step: 3, sequence_length: 1024, betas: [0.8, 0.9], seed: 9 });
  });

  it('list each trained tensor once, with the rate of its part, and weight decay on matrices alone', () => {
    const stage = { kind: 'end-to-end', steps: 1, frozen: ['head'], learning_rate_scale: { global: 0.5 } };
    const { groups } = torchSettings(config, recipe(stage));
    const specs = bltTensors(config).filter(
      ({ part, unused }) => part !== 'patcher' && part !== 'head' && unused === undefined,
    );
    expect(groups.flatMap(({ tensors }) => tensors).sort()).toEqual(specs.map(({ name }) => name).sort());
    for (const { part, tensors, weight_decay, learning_rate_scale } of groups) {
      expect(learning_rate_scale).toBe(part === 'global' ? 0.5 : 1);
      for (const name of tensors) {
        const spec = specs.find((candidate) => candidate.name === name)!;
        expect([name, part, weight_decay]).toEqual([name, spec.part, spec.role === 'linear' ? 0.1 : 0]);
      }
    }
  });

  it.each([
    [{ losses: { prefix_kl: 1 } }, "distils from the source's layers", '--set stages.0.losses.prefix_kl=0'],
    [{ optimizer: 'muon' }, 'trains by Muon', '--set stages.0.optimizer=adamw'],
    [{ ngram_dropout: 0.5 }, 'drops n-grams', '--set stages.0.ngram_dropout=0'],
    [{ lora: { rank: 4 } }, 'trains LoRA adapters', 'Name another recipe'],
  ])('are refused for %j', (change, why, hint) => {
    const stage = { kind: 'end-to-end', steps: 1, ...change };
    const refused = expect.objectContaining({
      message: expect.stringContaining(why),
      hint: expect.stringContaining(hint),
    });
    expect(() => torchSettings(config, recipe(stage))).toThrow(refused);
  });

  it('are refused without an end-to-end stage, and for patches of limited length', () => {
    expect(() => torchSettings(config, recipe({ kind: 'join', steps: 1 }))).toThrow('has no end-to-end stage');
    const limited = { ...config, patching: { ...config.patching, maxPatchLength: 8 } };
    expect(() => torchSettings(limited, recipe({ kind: 'end-to-end', steps: 1 }))).toThrow('limits the length');
  });
});
