import { expect, it } from 'vitest';
import { withoutAddedKeys } from '../../src/recipe/added-keys.js';
import { recipeSchema } from '../../src/recipe/index.js';

const stageOf = (stage: object) => recipeSchema.parse({ name: 'test', stages: [stage] }).stages[0]!;

it('an end-to-end stage without the source has the digest of one from before it could learn from it', () => {
  const stage = stageOf({ kind: 'end-to-end', steps: 1 });
  const {
    losses: _losses,
    source_states_cache_bytes: _bytes,
    ...before
  } = stage as typeof stage & { losses: object } & {
    source_states_cache_bytes: number;
  };
  expect(withoutAddedKeys(stage)).toEqual(before);
  expect(Object.keys(withoutAddedKeys(stage))).toEqual(Object.keys(before));
});

it('a value other than the default counts, and so do the same keys of other stages', () => {
  const learning = stageOf({ kind: 'end-to-end', steps: 1, losses: { prefix_kl: 1 } });
  expect(withoutAddedKeys(learning)).toMatchObject({ losses: { cross_entropy: 1, prefix_kl: 1 } });
  const join = stageOf({ kind: 'join', steps: 1 });
  expect(withoutAddedKeys(join)).toEqual(join);
});
