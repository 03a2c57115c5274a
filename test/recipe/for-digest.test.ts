import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/fs/index.js';
import { forDigest, recipeSchema } from '../../src/recipe/index.js';

const stagesOf = (...stages: object[]) => recipeSchema.parse({ name: 'test', stages }).stages;
const formOf = (stages: ReturnType<typeof stagesOf>) => (forDigest({ stages }) as { stages: object[] }).stages;

describe('Muon', () => {
  const joined = (change: object) => stagesOf({ kind: 'closed-form' }, { kind: 'join', steps: 2, ...change });

  it('gives stages that AdamW trains the form they had before they could name an optimizer', () => {
    const [closedForm, join] = formOf(joined({})) as [object, object];
    expect(Object.keys(closedForm)).toContain('row_bytes');
    expect(Object.keys(join)).toContain('learning_rate');
    expect(Object.keys(join).filter((key) => /optimizer$|muon/.test(key))).toEqual([]);
  });

  it('tells Muon and its rate apart, but not a rate without Muon', () => {
    const changes = [
      {},
      { muon_learning_rate: 0.1 },
      { optimizer: 'muon' },
      { optimizer: 'muon', muon_learning_rate: 0.1 },
    ];
    const [plain, idle, muon, other] = changes.map((change) => digestOf(formOf(joined(change))));
    expect(idle).toBe(plain);
    expect(new Set([plain, muon, other]).size).toBe(3);
  });
});

describe('the source in end-to-end stages', () => {
  const ADDED = ['losses', 'source_states_cache_bytes'];

  it('an end-to-end stage without the source has the digest of one from before it could learn from it', () => {
    const stages = stagesOf({ kind: 'end-to-end', steps: 1 });
    const before = stages.map((stage) =>
      Object.fromEntries(Object.entries(stage).filter(([key]) => !ADDED.includes(key))),
    ) as typeof stages;
    expect(formOf(stages)).toEqual(formOf(before));
    expect(Object.keys(formOf(stages)[0]!)).toEqual(Object.keys(formOf(before)[0]!));
    expect(Object.keys(formOf(stages)[0]!).filter((key) => ADDED.includes(key))).toEqual([]);
  });

  it('a value other than the default counts, and so do the same keys of other stages', () => {
    const learning = stagesOf({ kind: 'end-to-end', steps: 1, losses: { prefix_kl: 1 } });
    expect(formOf(learning)[0]).toMatchObject({ losses: { cross_entropy: 1, prefix_kl: 1 } });
    const [join] = stagesOf({ kind: 'join', steps: 1 });
    for (const key of ADDED) expect(formOf([join!])[0]).toHaveProperty(key, join![key as keyof typeof join]);
  });
});

describe('n-gram dropout', () => {
  it('counts where it drops something, and gives other stages the form they had before it', () => {
    const formWith = (change: object) => formOf(stagesOf({ kind: 'end-to-end', steps: 1, ...change }))[0]!;
    expect(formWith({})).not.toHaveProperty('ngram_dropout');
    expect(formWith({ ngram_dropout: 0 })).toEqual(formWith({}));
    expect(formWith({ ngram_dropout: 0.5 })).toEqual({ ...formWith({}), ngram_dropout: 0.5 });
  });
});
