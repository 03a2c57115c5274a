import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { deriveLocalSizes, type LocalSizes } from '../../src/blt/index.js';
import { UsageError } from '../../src/errors.js';
import {
  listRecipes,
  loadRecipe,
  loadRecipeOrDefault,
  localSizesOf,
  recipeJsonSchema,
  recipeKeyTable,
  recipeToYaml,
} from '../../src/recipe/index.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-recipe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let files = 0;
async function written(yaml: string): Promise<string> {
  const path = join(folder, `${files++}.yaml`);
  await writeFile(path, yaml);
  return path;
}

const DISTILLED = ['closed-form', 'align-encoder', 'distill-decoder', 'join', 'end-to-end'];
/** Those of recipes for small budgets, in which stages on the source's own states gain nothing. */
const SHORT = ['closed-form', 'end-to-end'];

const LLAMAS = {
  tiny: { hiddenSize: 128, layers: 6, heads: 4, kvHeads: 2 },
  'smollm2-135m': { hiddenSize: 576, layers: 30, heads: 9, kvHeads: 3 },
  'llama-3.2-1b': { hiddenSize: 2048, layers: 16, heads: 32, kvHeads: 8 },
  'llama-3.2-3b': { hiddenSize: 3072, layers: 28, heads: 24, kvHeads: 8 },
  'llama-3.1-8b': { hiddenSize: 4096, layers: 32, heads: 32, kvHeads: 8 },
};

/** The paper's models where they differ from the rule (blt-format 1.8). */
const STATED: Readonly<Record<string, { decoderLayers: number }>> = {
  'llama-3.2-1b': { decoderLayers: 9 },
  'llama-3.2-3b': { decoderLayers: 9 },
  'llama-3.1-8b': { decoderLayers: 6 },
};

/** The requirements of the closed form: a projection to solve for, a whole embedding in one row or half of it in each of two, and n-grams for the residual back-off fit. */
function expectRoomFor(sourceWidth: number, { crossAttnK, hiddenSize, hashSizes }: LocalSizes): void {
  expect(crossAttnK * hiddenSize).not.toBe(sourceWidth);
  expect(crossAttnK).toBe(sourceWidth <= 1024 ? 1 : 2);
  expect(hiddenSize).toBeGreaterThanOrEqual(sourceWidth / crossAttnK + 18);
  expect(hashSizes).toEqual([2, 3, 4, 5, 6, 7, 8]);
}

/** Recipes for a purpose of their own, each after the source that it is for. */
const OTHERS: Readonly<Record<string, readonly string[]>> = { tiny: ['tiny-bytes'] };
/** For any BLT. */
const ADAPT = 'adapt';
const SHIPPED = [...Object.keys(LLAMAS).flatMap((name) => [name, `${name}-paper`, ...(OTHERS[name] ?? [])]), ADAPT];

describe('shipped recipes', () => {
  it('are those that the documentation lists', async () => {
    expect(await listRecipes()).toEqual([...SHIPPED].sort());
    const shipped = readFileSync(root('docs/recipes.md'), 'utf8').split('## Shipped')[1]!.split('## ')[0]!;
    expect([...shipped.matchAll(/^\| `(.+?)` \|/gm)].map(([, name]) => name)).toEqual(SHIPPED);
  });

  it.each(SHIPPED)('%s has a comment on each key', (name) => {
    const lines = readFileSync(root(`recipes/${name}.yaml`), 'utf8').split('\n');
    const bare = lines.filter((line, i) => /^ *(- )?\w+: /.test(line) && !/^ *#/.test(lines[i - 1] ?? ''));
    // The value of a mapping comes after its key's comment.
    expect(bare.filter((line) => !/^ *(global|encoder|hash): [\d.]+$/.test(line))).toEqual([]);
  });

  it.each(Object.entries(LLAMAS))(
    'include %s-paper, which loads, names the schema, and has the sizes of the rule, or the paper’s if it states them',
    async (llamaName, llama) => {
      const name = `${llamaName}-paper`;
      const text = readFileSync(root(`recipes/${name}.yaml`), 'utf8');
      expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../schema/recipe.schema.json');
      const recipe = await loadRecipe(name);
      expect(recipe.name).toBe(name);
      const source = {
        ...llama,
        intermediateSize: 1,
        rmsNormEps: 1e-5,
        rope: { type: 'default', theta: 1e4 },
      } as const;
      expect(localSizesOf(source, recipe)).toEqual({ ...deriveLocalSizes(source), ...STATED[llamaName] });
      expect(recipe.patcher.target_bytes_per_patch).toBe(4.5);
    },
  );

  it.each(Object.entries(LLAMAS))(
    'include %s, which distils: aligned patches, its stages, and sizes that the closed form can fill',
    async (name, llama) => {
      const text = readFileSync(root(`recipes/${name}.yaml`), 'utf8');
      expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../schema/recipe.schema.json');
      const recipe = await loadRecipe(name);
      expect(recipe.name).toBe(name);
      expect(recipe.patcher.kind).toBe('aligned');
      expect(recipe.stages.map(({ kind }) => kind)).toEqual(
        ['tiny', 'smollm2-135m'].includes(name) ? SHORT : DISTILLED,
      );
      const source = {
        ...llama,
        intermediateSize: 1,
        rmsNormEps: 1e-5,
        rope: { type: 'default', theta: 1e4 },
      } as const;
      expectRoomFor(llama.hiddenSize, localSizesOf(source, recipe));
    },
  );

  it('are the default if none is named', async () => {
    const { patcher, stages } = await loadRecipeOrDefault(undefined);
    expect(patcher.kind).toBe('aligned');
    expect(stages.map(({ kind }) => kind)).toEqual(SHORT);
    for (const llama of Object.values(LLAMAS)) {
      const source = {
        ...llama,
        intermediateSize: 1,
        rmsNormEps: 1e-5,
        rope: { type: 'default', theta: 1e4 },
      } as const;
      const sizes = localSizesOf(source, await loadRecipeOrDefault(undefined));
      expectRoomFor(llama.hiddenSize, sizes);
      expect(sizes).toEqual(deriveLocalSizes(source, { closedForm: true }));
    }
    const paper = await loadRecipeOrDefault(undefined, { way: 'paper' });
    expect(paper.stages.map(({ kind }) => kind)).toEqual(['end-to-end']);
  });
});

describe('the JSON Schema', () => {
  it('in the repository is up to date with the code', () => {
    expect(JSON.parse(readFileSync(root('schema/recipe.schema.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(recipeJsonSchema())),
    );
  });

  it('is up to date with the documentation', () => {
    expect(readFileSync(root('docs/recipes.md'), 'utf8')).toContain(
      `<!-- keys -->\n\n${recipeKeyTable()}\n<!-- /keys -->`,
    );
  });

  it('describes every key', () => {
    const undescribed: string[] = [];
    const walk = (node: unknown, path: string) => {
      if (typeof node !== 'object' || node === null) return;
      const { properties, items, oneOf, anyOf } = node as Record<string, unknown>;
      for (const [key, child] of Object.entries((properties ?? {}) as Record<string, { description?: string }>)) {
        if (!child.description) undescribed.push(`${path}.${key}`);
        walk(child, `${path}.${key}`);
      }
      for (const child of [items, ...((oneOf ?? anyOf ?? []) as unknown[])]) walk(child, path);
    };
    walk(recipeJsonSchema(), '');
    expect(undescribed).toEqual([]);
  });
});

describe('a recipe', () => {
  const BASE = 'name: mine\nstages:\n  - kind: end-to-end\n    steps: 5\n';

  it('is completed with the schema’s defaults, and is read as it was written', async () => {
    const recipe = await loadRecipe(await written(BASE));
    expect(recipe.stages[0]).toMatchObject({
      learning_rate: 4e-4,
      learning_rate_scale: { global: 0.1 },
      betas: [0.9, 0.95],
      clip_norm: 1,
      weight_decay: 0.1,
    });
    expect(await loadRecipe(await written(recipeToYaml(recipe)))).toEqual(recipe);
  });

  it('is overridden by --set, whose values are YAML', async () => {
    const path = await written(BASE);
    const recipe = await loadRecipe(path, {
      sets: [
        'stages.0.steps=50',
        'stages.0.frozen=[global, hash]',
        'patcher.learning_rate=1e-3',
        'stages.0.learning_rate_scale.hash=2',
      ],
    });
    expect(recipe.stages[0]).toMatchObject({ steps: 50, frozen: ['global', 'hash'], learning_rate_scale: { hash: 2 } });
    expect(recipe.patcher.learning_rate).toBe(1e-3);
  });

  it('is optional', async () => {
    expect((await loadRecipeOrDefault(undefined, { sets: ['stages.1.steps=7'] })).stages[1]).toMatchObject({
      steps: 7,
    });
  });

  it.each([
    ['an unknown key', `${BASE}    stepz: 4\n`, /\.yaml:5:5: stages\.0\.stepz: there is no such key/],
    ['a wrong type', BASE.replace('5', 'many'), /\.yaml:4:12: stages\.0\.steps: /],
    ['a number with underscores, which YAML reads as text', BASE.replace('5', '1_000'), /stages\.0\.steps/],
    ['a missing key', 'name: mine\n', /stages/],
    ['an unknown kind', BASE.replace('end-to-end', 'magic'), /stages\.0\.kind/],
    ['invalid YAML', 'name: [mine\n', /\.yaml:\d+:\d+: /],
    ['nothing', '', /is empty/],
  ])('with %s is refused with its position', async (_what, yaml, message) => {
    const error = await loadRecipe(await written(yaml)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(message);
    expect((error as UsageError).message).not.toContain('\n');
  });

  it.each([
    ['align-encoder', 'frozen: [encoder, hash]', /frozen: a stage must train something/],
    ['distill-decoder', 'frozen: [head, decoder, hash, encoder]', /frozen: a stage must train something/],
    ['join', 'frozen: [encoder, decoder, hash, head]', /frozen: a stage must train something/],
    ['join', 'losses: { cross_entropy: 0 }', /losses: a stage needs a loss/],
    [
      'distill-decoder',
      'losses: { cross_entropy: 0, prefix_kl: 0, chunk: 0, embedding: 0 }',
      /losses: a stage needs a loss/,
    ],
    [
      'distill-decoder',
      'frozen: [encoder, hash], losses: { cross_entropy: 0, prefix_kl: 0, chunk: 0 }',
      /losses: a stage needs a loss/,
    ],
  ])('whose stage %s has nothing to do (%s) is refused with its position', async (kind, settings, message) => {
    const error = await loadRecipe(await written(`${BASE}  - { kind: ${kind}, steps: 1, ${settings} }\n`)).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(new RegExp(`\\.yaml:5:\\d+: stages\\.1\\.${message.source}`));
    expect((error as UsageError).message).not.toContain('\n');
    expect((error as UsageError).hint).toContain('docs/recipes.md');
  });

  it('may freeze all but one of the parts that a stage trains', async () => {
    const stages = [
      '{ kind: align-encoder, steps: 1, frozen: [encoder] }',
      '{ kind: distill-decoder, steps: 1, frozen: [encoder, decoder, head], losses: { cross_entropy: 0, prefix_kl: 0, chunk: 0 } }',
      '{ kind: join, steps: 1, frozen: [encoder, decoder, hash] }',
    ];
    const recipe = await loadRecipe(await written(`${BASE}${stages.map((stage) => `  - ${stage}\n`).join('')}`));
    expect(recipe.stages).toHaveLength(4);
  });

  it.each([
    ['stages.3.steps=1', /no stages\.3/],
    ['steps', /key=value/],
    ['stages.0.stepz=1', /stepz: there is no such key/],
    ['stages.0.steps=[', /not YAML/],
  ])('is not overridden by --set %s', async (override, message) => {
    await expect(loadRecipe(await written(BASE), { sets: [override] })).rejects.toThrow(message);
  });

  it('that does not exist is refused with the names of those that do', async () => {
    const error = await loadRecipe('llama-9').catch((thrown: UsageError) => thrown);
    expect(error).toMatchObject({
      message: 'There is no recipe "llama-9".',
      hint: expect.stringContaining('llama-3.2-1b'),
    });
  });

  it('with heads that do not divide its width is refused', () => {
    const source = {
      hiddenSize: 128,
      layers: 2,
      heads: 4,
      kvHeads: 4,
      intermediateSize: 1,
      rmsNormEps: 1e-5,
      rope: { type: 'default', theta: 1e4 },
    } as const;
    const recipe = { blt: { heads: 7, dtype: 'source' }, patcher: {}, stages: [] } as unknown as Parameters<
      typeof localSizesOf
    >[1];
    expect(() => localSizesOf(source, recipe)).toThrow(/blt\.heads: 7 heads do not divide a width of 64/);
  });
});
