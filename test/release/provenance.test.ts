import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadRecipe, type Recipe } from '../../src/recipe/index.js';
import { localPathIn } from '../../src/release/placeholders.js';
import { parseProvenance, provenanceOf, sourceName } from '../../src/release/provenance.js';
import { fileAt, manifestOf, ODC_BY, stage } from '../support/release.js';

it('a provenance contains what is needed to reproduce the model, and no local path', () => {
  const provenance = provenanceOf(manifestOf({}), [ODC_BY]);
  expect(provenance).toMatchObject({
    byteify: '9.8.7',
    source: {
      model: 'org/Some-Llama',
      revision: 'abc123',
      license: 'apache-2.0',
      files: [{ name: 'model.safetensors' }],
    },
    recipe: { name: 'r', sha256: 'recipedigest' },
    data: { sha256: 'datadigest', sources: [ODC_BY] },
    stages: { finetune: { seconds: 60, metrics: { validation_bits_per_byte: 1.25 } } },
  });
  // A stage that is still running has no results.
  expect(provenance.stages.export).toBeUndefined();
  expect(JSON.stringify(provenance)).not.toMatch(/home|cache/);
});

it('a provenance separates the settings of the training from those of the export', async () => {
  const recipe = await loadRecipe('tiny');
  const of = (change: Partial<Recipe>) => provenanceOf(manifestOf({}), [], { ...recipe, ...change }).recipe;
  const { seed, source, hardware, export: exported } = recipe;
  const same: Partial<Recipe>[] = [
    { export: { ...exported, dtype: 'bfloat16', language: ['de'], data_sources: [ODC_BY] } },
    { hardware: { ...hardware, threads: 3 } },
    { source: { ...source, model: 'org/name' } },
    { name: 'mine' },
  ];
  for (const change of same) expect(of(change), JSON.stringify(change)).toEqual(of({}));
  expect(of({ seed: seed + 1 })?.training_sha256).not.toBe(of({})?.training_sha256);
  expect(provenanceOf(manifestOf({}), []).recipe).not.toHaveProperty('training_sha256');
});

it('the training has the digest that it had before stages gained keys, by which publishing recognises a model', async () => {
  const recipe = await loadRecipe('smollm2-135m-paper');
  const before = recipe.stages.map((stage) => {
    const added = ['optimizer', 'muon_learning_rate', 'losses', 'source_states_cache_bytes'];
    expect(stage.kind).toBe('end-to-end');
    return Object.fromEntries(Object.entries(stage).filter(([key]) => !added.includes(key)));
  }) as Recipe['stages'];
  const of = (stages: Recipe['stages']) => provenanceOf(manifestOf({}), [], { ...recipe, stages }).recipe;
  expect(of(recipe.stages)).toEqual(of(before));
});

it.each([
  ['org/name@main', 'abc', 'org/name'],
  ['org/name', null, 'name'],
  ['/home/me/models/llama/', null, 'llama'],
  ['..\\models\\x.gguf', null, 'x.gguf'],
  ['builtin:tiny-llama', null, 'builtin:tiny-llama'],
  [null, null, null],
])('a source %j at %j is named %j', (model, revision, name) => {
  expect(sourceName({ model, revision })).toBe(name);
});

it('a provenance is read as it was written, and nothing else is accepted', () => {
  for (const manifest of [manifestOf({}), null]) {
    const provenance = provenanceOf(manifest, []);
    expect(parseProvenance(JSON.stringify(provenance))).toEqual(provenance);
  }
  for (const text of ['', '{', '{}', JSON.stringify({ ...provenanceOf(null, []), more: 1 })]) {
    expect(() => parseProvenance(text)).toThrow('provenance.json is ');
  }
});

it('a provenance contains no folder of a local source or of its files', () => {
  const folders = fc.array(fc.stringMatching(/^secret-[a-z]{1,6}$/), { minLength: 1, maxLength: 5 });
  const root = fc.constantFrom('/', './', '../', '~/', 'C:\\', '');
  fc.assert(
    fc.property(root, folders, fc.constantFrom('/', '\\'), fc.boolean(), (start, parts, separator, isFolder) => {
      const path = `${start}${[...parts, 'model.gguf'].join(separator)}${isFolder ? separator : ''}`;
      const stages = { import: stage({}, [fileAt(path)]) };
      const text = JSON.stringify(provenanceOf(manifestOf({ model: path, revision: null, stages }), []));
      expect(text).toContain('"model.gguf"');
      expect(text).not.toContain('secret');
      expect(localPathIn(text)).toBeNull();
    }),
  );
});
