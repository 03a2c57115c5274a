import { expect, it } from 'vitest';
import { digestOf } from '../../src/fs/index.js';
import { recipeSchema, stagesForDigest } from '../../src/recipe/index.js';

const stagesOf = (change: object) =>
  recipeSchema.parse({
    name: 'test',
    stages: [{ kind: 'closed-form' }, { kind: 'join', steps: 2, ...change }],
  }).stages;

it('gives stages that AdamW trains the form they had before they could name an optimizer', () => {
  const [closedForm, join] = stagesForDigest(stagesOf({})) as [object, object];
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
  const [plain, idle, muon, other] = changes.map((change) => digestOf(stagesForDigest(stagesOf(change))));
  expect(idle).toBe(plain);
  expect(new Set([plain, muon, other]).size).toBe(3);
});
