import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { loadRecipe, recipeFor, recipeToYaml } from '../../src/recipe/index.js';
import { underFirstNames } from '../../src/recipe/renamed-keys.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

const BASE = 'name: mine\nstages:\n  - kind: end-to-end\n    steps: 5\n';

async function load(yaml: string, sets: readonly string[] = []): Promise<unknown> {
  const path = join(folder(), 'recipe.yaml');
  await writeFile(path, yaml);
  return loadRecipe(path, { sets }).catch((thrown: unknown) => thrown);
}

describe('a recipe file', () => {
  it.each([
    ['a duplicate key', `${BASE}name: other\n`, /:5:1: .*unique/],
    ['two documents', `${BASE}---\n${BASE}`, /:5:1: /],
    ['a list', '- name: mine\n', /:1:1: recipe: /],
    ['an undefined alias', `${BASE}seed: *none\n`, /recipe\.yaml: .*none/],
    ['a tab as indentation', 'name: mine\nstages:\n\t- kind: end-to-end\n', /:3:1: /],
    ['a section without keys', `${BASE}patcher:\n`, /:5:\d+: patcher: .*null/],
    ['a negative rate', `${BASE}    learning_rate: -1\n`, /:5:20: stages\.0\.learning_rate: /],
    ['a beta of one, whose moments never change', `${BASE}    betas: [0.9, 1]\n`, /:5:18: stages\.0\.betas\.1: /],
    [
      'nothing to train',
      `${BASE}    frozen: [encoder, decoder, global, hash, head]\n`,
      /:5:13: stages\.0\.frozen: .*train something/,
    ],
    ['a key of the prototype', `${BASE}__proto__:\n  seed: 3\n`, /:5:1: __proto__: there is no such key/],
  ])('with %s is refused in one line, with its position if there is one', async (_what, yaml, message) => {
    const error = await load(yaml);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(message);
    expect((error as UsageError).message).not.toContain('\n');
  });

  it('that expands exponentially through aliases is refused before it fills the memory', async () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`);
    const error = await load(`a0: &a0 [lol]\n${levels.join('\n')}\n`);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(/recipe\.yaml: .*alias/i);
  });

  it('with a misspelled key is refused with a hint about the probable key', async () => {
    expect(await load(`${BASE}    learning_rat: 1\n`)).toMatchObject({
      hint: expect.stringContaining('learning_rate'),
    });
    expect(await load(`${BASE}    zzz: 1\n`)).toMatchObject({ hint: expect.stringContaining('docs/recipes.md') });
  });

  it('with 1_000 is refused with the explanation that YAML reads it as text', async () => {
    expect(await load(BASE.replace('5', '1_000'))).toMatchObject({ hint: expect.stringContaining('1000') });
  });

  it('that is a folder is refused', async () => {
    await mkdir(join(folder(), 'deep'));
    await expect(loadRecipe(join(folder(), 'deep'))).rejects.toThrow(/cannot be read \(EISDIR\)/);
  });
});

describe('--set', () => {
  it.each([
    ['name.first=1', /--set name\.first=1: .*no keys/],
    ['stages.first.steps=1', /--set stages\.first\.steps=1: /],
    ['stages=3', /with --set: stages: /],
    ['seed=', /with --set: seed: /],
    ['__proto__.seed=3', /__proto__/],
  ])('%s is refused as wrong usage', async (set, message) => {
    const error = await load(BASE, [set]);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(message);
  });

  it('creates sections that the file omits', async () => {
    expect(await load(BASE, ['blt.hash_sizes=[3, 4]', 'hardware.threads=2'])).toMatchObject({
      blt: { hash_sizes: [3, 4] },
      hardware: { threads: 2 },
    });
  });
});

describe('the recipe of a conversion', () => {
  it('is the named one, else its own, else the default', async () => {
    expect((await recipeFor(folder(), undefined)).name).toBe('default');
    const own = await loadRecipe('tiny', { sets: ['seed=5'] });
    await writeFile(join(folder(), 'recipe.yaml'), recipeToYaml(own));
    expect(await recipeFor(folder(), undefined)).toEqual(own);
    expect((await recipeFor(folder(), 'smollm2-135m')).name).toBe('smollm2-135m');
  });
});

describe('keys under former names', () => {
  const warnings = async (yaml: string, sets: readonly string[] = []) => {
    const path = join(folder(), 'earlier.yaml');
    await writeFile(path, yaml);
    const found: string[] = [];
    const recipe = await loadRecipe(path, { sets, onWarning: (sentence) => found.push(sentence) });
    return { recipe, found: found.map((sentence) => sentence.replace(path, 'FILE')) };
  };
  const EARLIER = `name: earlier
data: { piece_bytes: 4096 }
patcher: { row_bytes: 256 }
stages:
  - { kind: end-to-end, steps: 1, row_bytes: 512, micro_batch_rows: 2 }
`;

  it('are read, with one warning each', async () => {
    const { recipe, found } = await warnings(EARLIER);
    expect(recipe.data.max_document_bytes).toBe(4096);
    expect(recipe.patcher.sequence_length).toBe(256);
    expect(recipe.stages[0]).toMatchObject({ sequence_length: 512, micro_batch_size: 2 });
    expect(found).toEqual([
      'FILE: piece_bytes is now called max_document_bytes.',
      'FILE: row_bytes is now called sequence_length.',
      'FILE: micro_batch_rows is now called micro_batch_size.',
    ]);
  });

  it('may be overridden under either name', async () => {
    const { recipe, found } = await warnings('name: n\nstages: [{ kind: end-to-end, steps: 1 }]\n', [
      'stages.0.row_bytes=128',
      'stages.0.micro_batch_size=3',
    ]);
    expect(recipe.stages[0]).toMatchObject({ sequence_length: 128, micro_batch_size: 3 });
    expect(found).toEqual(['--set stages.0.row_bytes=128: row_bytes is now called sequence_length.']);
  });

  it('are refused beside the current name', async () => {
    await expect(warnings(EARLIER.replace('row_bytes: 512', 'row_bytes: 512, sequence_length: 512'))).rejects.toThrow(
      /row_bytes and sequence_length are two names for the same key/,
    );
  });

  it('count as the same settings, so a conversion that was begun with them is resumed', async () => {
    const { recipe } = await warnings(EARLIER);
    expect(underFirstNames({ data: recipe.data, stages: [{ micro_batch_size: 2 }] })).toEqual({
      data: { text_key: 'text', piece_bytes: 4096, validation_fraction: 0.02 },
      stages: [{ micro_batch_rows: 2 }],
    });
  });
});
