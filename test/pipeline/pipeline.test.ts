import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConversion, readManifest } from '../../src/conversion/index.js';
import { allTexts, evaluationTexts, openStore, type StoredSplit } from '../../src/data/index.js';
import { startEngine } from '../../src/engine/index.js';
import { calibrate } from '../../src/finetune/index.js';
import { openBlt } from '../../src/model/index.js';
import { calibrateFolder, dataStep, demoCorpus, recordRecipe, showModel } from '../../src/pipeline/index.js';
import { loadRecipe, loadRecipeOrDefault } from '../../src/recipe/index.js';
import { goldenPath } from '../support/golden.js';
import { quietReporter } from '../support/quiet-reporter.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-pipeline-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const warnings: string[] = [];
const summaries: string[] = [];
const reporter = quietReporter({
  done: (text) => void summaries.push(text ?? ''),
  warn: (text) => void warnings.push(text),
});
const signal = new AbortController().signal;

beforeAll(async () => {
  await startEngine({ threads: 2 });
  await mkdir(join(work, 'text'));
  for (let i = 0; i < 60; i++)
    await writeFile(join(work, 'text', `${i}.txt`), `Paragraph ${i} stands in a file of its own.\n`.repeat(20));
  await writeFile(join(work, 'text', 'empty.txt'), '');
});

describe('the text of a conversion', () => {
  it('is read once, named if it is left out, and not replaced under a stage that used it', async () => {
    const conversion = await openConversion(join(work, 'conversion'));
    const recipe = await loadRecipeOrDefault(undefined, {
      sets: ['data.max_document_bytes=512', 'data.validation_fraction=0.2'],
    });
    const step = { conversion, recipe, reporter, signal };
    const store = await dataStep(step, [join(work, 'text')]);
    const held = store.validation.byteCount;
    await store.close();
    expect(warnings.join()).toMatch(/empty\.txt was left out: it is empty/);
    await (await dataStep(step, [])).close();
    const again = await dataStep(step, [join(work, 'text')]);
    expect(again.validation.byteCount).toBe(held);
    await again.close();
    await conversion.update((manifest) => ({
      ...manifest,
      stages: {
        patcher: {
          state: 'started',
          inputs: {},
          started: new Date().toISOString(),
          finished: null,
          seconds: 0,
          files: [],
          metrics: {},
        },
      },
    }));
    await expect(dataStep(step, [join(work, 'text', '1.txt')])).rejects.toThrow(
      /The data has changed since the stage "patcher"/,
    );
    await conversion.close();
  });

  it('has its duplicates counted and named in the summary', async () => {
    const data = join(work, 'twice');
    await cp(join(work, 'text'), data, { recursive: true });
    const copy = async (name: string) => {
      await cp(join(data, '1.txt'), join(data, name));
      const conversion = await openConversion(join(work, `of-${name}`));
      const recipe = await loadRecipeOrDefault(undefined, { sets: ['data.max_document_bytes=512'] });
      await (await dataStep({ conversion, recipe, reporter, signal }, [data])).close();
      await conversion.close();
      return summaries.at(-1);
    };
    expect(await copy('z1.txt')).toMatch(new RegExp(` held out, 1 duplicate left out \\(${data}/z1\\.txt\\)$`));
    expect(await copy('z2.txt')).toMatch(
      /, 2 duplicates left out \(.*z1\.txt and 1 more file that data\.json lists\)$/,
    );
  });

  it('must be given at least once', async () => {
    const conversion = await openConversion(join(work, 'without'));
    const recipe = await loadRecipeOrDefault(undefined);
    await expect(dataStep({ conversion, recipe, reporter, signal }, [])).rejects.toThrow(/no text to train on/);
    await conversion.close();
  });
});

it('the resolved recipe is stored beside the result', async () => {
  const conversion = await openConversion(join(work, 'recipe'));
  const recipe = await loadRecipe('tiny', { sets: ['stages.1.steps=7'] });
  await recordRecipe(conversion, recipe);
  expect(await loadRecipe(join(work, 'recipe', 'recipe.yaml'))).toEqual(recipe);
  expect(conversion.manifest().recipe?.name).toBe('tiny');
  await conversion.close();
});

it('a BLT folder is calibrated on any text, and its config is updated', async () => {
  const dir = join(work, 'blt');
  await cp(goldenPath('plain/blt'), dir, { recursive: true });
  const { threshold, bytesPerPatch } = await calibrateFolder({
    dir,
    target: 4,
    data: [join(work, 'text')],
    maxBytes: 4000,
    reporter,
    signal,
  });
  expect(bytesPerPatch).toBeCloseTo(4, 1);
  expect(JSON.parse(await readFile(join(dir, 'config.json'), 'utf8')).patching_threshold).toBe(threshold);
});

describe('the patcher of a conversion', () => {
  const dir = join(work, 'calibrated');
  const options = { dir, target: 3, data: [], maxBytes: 2000, reporter, signal };
  const configText = () => readFile(join(dir, 'patcher', 'config.json'), 'utf8');
  const patcher = {
    state: 'done' as const,
    inputs: {},
    started: new Date().toISOString(),
    finished: new Date().toISOString(),
    seconds: 0,
    files: [],
    metrics: {},
  };
  beforeAll(async () => {
    const conversion = await openConversion(dir);
    const recipe = await loadRecipeOrDefault(undefined, {
      sets: ['data.max_document_bytes=512', 'data.validation_fraction=0.2'],
    });
    await (await dataStep({ conversion, recipe, reporter, signal }, [join(work, 'text')])).close();
    await cp(goldenPath('plain/blt'), conversion.path('patcher'), { recursive: true });
    await conversion.update((manifest) => ({ ...manifest, stages: { patcher } }));
    await conversion.close();
  });

  it('is not changed while another process works there', async () => {
    const before = await configText();
    const conversion = await openConversion(dir);
    await expect(calibrateFolder(options)).rejects.toThrow(/is working in/);
    expect(await configText()).toBe(before);
    await conversion.close();
  });

  it('is calibrated on text that it was not trained on, and the manifest records it', async () => {
    const { threshold, bytesPerPatch } = await calibrateFolder(options);
    const store = await openStore(join(dir, 'data'));
    const model = await openBlt(goldenPath('plain/blt'));
    const on = async (split: StoredSplit) =>
      calibrate(model.params, model.config, allTexts(await evaluationTexts(split, { maxBytes: 2000 })), 3).threshold;
    expect(threshold).toBe(await on(store.validation));
    expect(threshold).not.toBe(await on(store.train));
    model.dispose();
    await store.close();
    expect(JSON.parse(await configText()).patching_threshold).toBe(threshold);
    const manifest = await readManifest(dir);
    expect(manifest?.stages.patcher?.metrics).toEqual({ threshold_nats: threshold, bytes_per_patch: bytesPerPatch });
  });
});

it('a model is shown by its patches and a reproducible sample', async () => {
  const ask = { sentence: 'Bytes are patched.', prompt: 'The ', sampleBytes: 12, seed: 4 };
  const shown = await showModel(goldenPath('plain/blt'), ask);
  expect(shown.patchLengths.reduce((a, b) => a + b)).toBe(shown.bytes.length + 1);
  expect((await showModel(goldenPath('plain/blt'), ask)).sample).toBe(shown.sample);
});

it('the demo’s text is the documentation of the dependencies', async () => {
  const files = await demoCorpus();
  expect(files.length).toBeGreaterThan(30);
  expect(files.every((file) => file.endsWith('.md') && file.includes('node_modules'))).toBe(true);
});
