import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConversion, type StageName } from '../../src/conversion/index.js';
import type { ByteStore } from '../../src/data/index.js';
import { budgetedRecipe, resumedRecipe } from '../../src/pipeline/budget-step.js';
import { importStep, remapStep } from '../../src/pipeline/index.js';
import { parseBudget } from '../../src/plan/index.js';
import { isOverridden, loadRecipe, type Recipe } from '../../src/recipe/index.js';
import { quietReporter } from '../support/quiet-reporter.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-budget-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const notes: string[] = [];
const reporter = quietReporter({ note: (text) => void notes.push(text) });
const signal = new AbortController().signal;
const domains = [{ name: 'text', kind: 'text', weight: null, from: 0, to: 100 }] as const;
const store = { train: { byteCount: 400_000, domains } } as unknown as ByteStore;
const folder = join(work, 'conversion');
const request = (budget: string, sets: readonly string[] = []) => ({
  budget: parseBudget(budget),
  isSet: isOverridden(sets),
});

let recipe: Recipe;
/** Runs `body` in the conversion, opened as a command opens it. */
async function opened<Result>(
  body: (context: Parameters<typeof resumedRecipe>[0]) => Promise<Result>,
  options: { restartFrom?: StageName; recipe?: Recipe } = {},
): Promise<Result> {
  const conversion = await openConversion(folder, { restartFrom: options.restartFrom });
  try {
    return await body({ conversion, recipe: options.recipe ?? recipe, reporter, signal });
  } finally {
    await conversion.close();
  }
}
const choose = (budget: string, options: { restartFrom?: StageName; recipe?: Recipe } = {}) =>
  opened((context) => budgetedRecipe(context, store, request(budget)), options);
const resume = (budget: string | null, options: { restartFrom?: StageName; recipe?: Recipe } = {}) =>
  opened((context) => resumedRecipe(context, budget === null ? null : request(budget)), options);
const saved = () => loadRecipe(join(folder, 'recipe.yaml'));

beforeAll(async () => {
  recipe = await loadRecipe('tiny');
  await opened(async (context) => {
    await importStep(context, 'builtin:tiny-llama');
    await remapStep(context);
  });
});

let chosen: Recipe;
describe('before anything is trained', () => {
  it('the steps are chosen, shown and stored', async () => {
    expect(await resume('4T')).toBeNull();
    chosen = await choose('4T');
    expect(notes.at(-1)).toMatch(/^The budget of 4T is 4\.00 TFLOP\. (.|\n)*\nfinetune 1 end-to-end /);
    expect(chosen.patcher.steps).not.toBe(recipe.patcher.steps);
    expect(await saved()).toEqual(chosen);
  });

  it('another budget replaces them, and none leaves the recipe as it is', async () => {
    const other = await choose('8T');
    expect(other.patcher.steps).toBeGreaterThan(chosen.patcher.steps);
    expect(await opened((context) => budgetedRecipe(context, store, null))).toEqual(recipe);
    await opened(async ({ conversion }) => expect(conversion.manifest().budget).toBeUndefined());
    expect(await choose('4T')).toEqual(chosen);
  });
});

describe('once training has begun', () => {
  beforeAll(async () => {
    await opened(async ({ conversion }) => {
      const started = { started: new Date().toISOString(), finished: null, seconds: 0, files: [], metrics: {} };
      await conversion.update((manifest) => ({
        ...manifest,
        stages: { ...manifest.stages, patcher: { state: 'started' as const, inputs: {}, ...started } },
      }));
    });
  });

  it('the same budget gives the same steps again, with the recipe as given or as stored', async () => {
    expect(await resume('4T')).toEqual(chosen);
    expect(await resume('4000G')).toEqual(chosen);
    expect(await resume('4T', { recipe: await saved() })).toEqual(chosen);
    expect(await resume(null, { recipe: await saved() })).toEqual(chosen);
    const card = { ...recipe, export: { ...recipe.export, language: ['en' as never] } };
    expect(await resume('4T', { recipe: card })).toEqual({ ...chosen, export: card.export });
  });

  it('another budget, none, or another recipe is refused with what to do', async () => {
    await expect(resume('8T')).rejects.toMatchObject({
      message: expect.stringContaining('The budget has changed since the stage "patcher" began'),
      hint: expect.stringMatching(/^Give --budget 4T to resume, add --restart-from patcher/),
      exitCode: 2,
    });
    await expect(resume(null)).rejects.toMatchObject({
      message: expect.stringContaining('were chosen by --budget 4T'),
      exitCode: 2,
    });
    const other = { ...recipe, patcher: { ...recipe.patcher, learning_rate: 1 } };
    await expect(resume('4T', { recipe: other })).rejects.toThrow(/recipe has changed since its steps were chosen/);
  });

  it('--restart-from patcher chooses again, --restart-from finetune does not', async () => {
    expect(await resume('8T', { restartFrom: 'patcher' })).toBeNull();
    await expect(resume('8T', { restartFrom: 'finetune' })).rejects.toThrow(/budget has changed/);
    expect(await resume('4T', { restartFrom: 'finetune' })).toEqual(chosen);
  });

  it('a budget is refused where the recipe’s steps were used', async () => {
    await opened(async ({ conversion }) => {
      await conversion.update(({ budget: _, ...manifest }) => manifest);
    });
    expect(await resume(null)).toEqual(recipe);
    await expect(resume('4T')).rejects.toMatchObject({ hint: expect.stringMatching(/^Leave out --budget to resume/) });
  });
});
