import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadRecipe } from '../../../src/recipe/index.js';
import { metadataFiles, modelName } from '../../../src/release/index.js';
import { localPathIn } from '../../../src/release/placeholders.js';
import { parseProvenance } from '../../../src/release/provenance.js';
import { fabricateExport, manifestOf, ODC_BY, recipeWith } from '../../support/release.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();

describe('the metadata of an export', () => {
  it('is the card, the recipe, the provenance and the unchanged licence files', async () => {
    const source = { LICENSE: 'Terms.', NOTICE: 'Ours.', 'USE_POLICY.md': 'Rules.', 'README.md': '# Theirs\n' };
    const { texts } = await fabricateExport(folder(), { manifest: manifestOf({}), source });
    expect([...texts.keys()].sort()).toEqual(
      ['LICENSE', 'NOTICE', 'README.md', 'USE_POLICY.md', 'provenance.json', 'recipe.yaml'].sort(),
    );
    for (const name of ['LICENSE', 'NOTICE', 'USE_POLICY.md'] as const) expect(texts.get(name)).toBe(source[name]);
  });

  it('pins the source in the recipe, which can be loaded', async () => {
    const { texts, folder: out } = await fabricateExport(folder(), { manifest: manifestOf({ model: 'org/x@main' }) });
    expect(parse(texts.get('recipe.yaml')!)).toMatchObject({ source: { model: 'org/x@abc123' } });
    const [loaded, before] = [await loadRecipe(join(out, 'recipe.yaml')), await recipeWith({ data_sources: [ODC_BY] })];
    expect(loaded).toEqual({ ...before, source: { model: 'org/x@abc123' } });
  });

  it.each([
    ['of a hub model', manifestOf({ license: 'llama3.2' })],
    ['of a folder', manifestOf({ model: '/home/someone/models/llama/', revision: null })],
    ['of a GGUF file', manifestOf({ model: join(homedir(), 'x.gguf'), revision: null })],
    ['of a path with dots', manifestOf({ model: '../models/x', revision: null })],
  ])('contains no path of the author’s machine: %s', async (_, manifest) => {
    const { texts } = await fabricateExport(folder(), { manifest });
    for (const [name, text] of texts) {
      expect([name, localPathIn(text)]).toEqual([name, null]);
      expect(text).not.toMatch(/someone|\.cache/);
      expect(text).not.toContain(homedir());
    }
  });

  it('has a Llama’s attribution, and a name that begins as its licence requires', async () => {
    const { texts } = await fabricateExport(folder(), {
      manifest: manifestOf({ license: 'llama3.1' }),
      name: 'Mine-BLT',
    });
    expect(texts.get('NOTICE')).toMatch(/^Llama 3\.1 is licensed under the Llama 3\.1 Community License, /);
    expect(texts.get('README.md')).toContain('\n# Llama-Mine-BLT\n');
  });

  it('states how much text was read', async () => {
    const conversion = folder();
    await mkdir(join(conversion, 'data'));
    const file = (path: string, documents: number) => ({
      path,
      size_bytes: 500,
      sha256: 'a'.repeat(64),
      documents,
      bytes: 500,
    });
    const store = {
      files: [file('a.txt', 3), file('b.txt', 4)],
      ...{ refused: [], refused_count: 0, duplicates: 0, duplicate_files: [] },
      ...{ train: { bytes: 900, pieces: 6 }, validation: { bytes: 100, pieces: 1 } },
      ...{ seed: 1, piece_bytes: 4096, validation_fraction: 0.1, text_key: 'text' },
    };
    await writeFile(join(conversion, 'data', 'data.json'), JSON.stringify(store));
    const recipe = await recipeWith({});
    const { card } = await metadataFiles({ folder: conversion, manifest: manifestOf({}), recipe, name: 'x' });
    expect(card.text).toEqual({ documents: 7, domains: [], trainBytes: 900, heldOutBytes: 100 });
  });

  it('is only the provenance for a plain checkpoint, with the stated sources', async () => {
    const recipe = await recipeWith({ data_sources: [ODC_BY], language: ['fr'] });
    const { card, files } = await metadataFiles({ folder: folder(), manifest: null, recipe, name: 'x' });
    expect([...files.keys()]).toEqual(['provenance.json']);
    expect(parseProvenance(files.get('provenance.json')!)).toMatchObject({ source: null, data: { sources: [ODC_BY] } });
    expect(card).toMatchObject({ name: 'x', recipe: null, text: null, languages: ['fr', 'en'] });
  });
});

it.each([
  ['org/Llama@main', 'abc', 'Llama-BLT'],
  ['builtin:tiny-llama', null, 'tiny-llama-BLT'],
  ['/models/smollm2.Q4.gguf', null, 'smollm2.Q4-BLT'],
  [null, null, 'mine-BLT'],
])('a model from %j at %j is named %3$s', (model, revision, name) => {
  expect(modelName(manifestOf({ model, revision }), '/x/mine')).toBe(name);
});
