/** Exports without weights: the other files of a conversion of some model. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest, StageRecord } from '../../src/conversion/index.js';
import { type DataSource, loadRecipe, type Recipe } from '../../src/recipe/index.js';
import { type CardModel, metadataFiles, modelCard } from '../../src/release/index.js';

export const SMALL_MODEL: CardModel = {
  parameters: 1_234_567,
  dtype: 'bfloat16',
  globalLayers: 30,
  globalHiddenSize: 576,
  encoderLayers: 1,
  decoderLayers: 4,
  localHiddenSize: 288,
  patchingThreshold: 1.25,
  maxBytes: 24_576,
};

export const stage = (metrics: Record<string, number>, files: StageRecord['files'] = []): StageRecord => ({
  state: 'done',
  inputs: { data: 'datadigest' },
  started: '2026-01-01T00:00:00.000Z',
  finished: '2026-01-01T00:01:00.000Z',
  seconds: 60,
  files,
  metrics,
});

export const fileAt = (path: string): StageRecord['files'][number] => ({
  path,
  size_bytes: 12,
  sha256: 'f'.repeat(64),
});

/** For a hub model whose files are in somebody's cache. */
export function manifestOf(change: Partial<Manifest> & { files?: readonly string[] }): Manifest {
  const { files = ['model.safetensors'], ...rest } = change;
  return {
    format: 1,
    byteify: '9.8.7',
    model: 'org/Some-Llama',
    revision: 'abc123',
    license: 'apache-2.0',
    recipe: { name: 'r', sha256: 'recipedigest' },
    stages: {
      import: stage(
        {},
        files.map((name) => fileAt(`/home/someone/.cache/huggingface/hub/${name}`)),
      ),
      patcher: stage({ bytes_per_patch: 4.4, source_bytes_per_token: 4.45, cut_recall: 0.91 }),
      finetune: stage({
        validation_bits_per_byte: 1.25,
        source_bits_per_byte: 1,
        validation_bytes_per_patch: 4.43,
        encoder_bits_per_byte: 1.05,
        decoder_bits_per_byte: 1.08,
        data_wait_fraction: 0.01,
        flops: 1.3e18,
      }),
      export: { ...stage({ weight_bytes: 1 }), state: 'started', finished: null },
    },
    ...rest,
  };
}

export const ODC_BY: DataSource = {
  name: 'FineWeb-Edu',
  license: 'odc-by',
  hub_id: 'HuggingFaceFW/fineweb-edu',
  language: ['en'],
};

export async function recipeWith(change: Partial<Recipe['export']>): Promise<Recipe> {
  const recipe = await loadRecipe('llama-3.2-1b');
  return { ...recipe, source: { model: '/home/someone/models/llama' }, export: { ...recipe.export, ...change } };
}

export interface FabricatedExport {
  readonly folder: string;
  readonly manifest: Manifest;
  /** By the name of its file. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * @param root an empty folder, in which `conversion/` and `blt/` are created
 * @param source the licence's files, and README.md, by name
 */
export async function fabricateExport(
  root: string,
  options: {
    manifest: Manifest;
    source?: Readonly<Record<string, string>>;
    dataSources?: readonly DataSource[] | undefined;
    name?: string;
  },
): Promise<FabricatedExport> {
  const { manifest, source = {}, dataSources = [ODC_BY], name = 'Some-Llama-BLT' } = options;
  const [conversion, folder] = [join(root, 'conversion'), join(root, 'blt')];
  await mkdir(join(conversion, 'source'), { recursive: true });
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(source)) await writeFile(join(conversion, 'source', file), text);
  const recipe = await recipeWith(dataSources.length === 0 ? {} : { data_sources: [...dataSources] });
  const { card, files } = await metadataFiles({ folder: conversion, manifest, recipe, name });
  const texts = new Map([...files, ['README.md', modelCard(card, SMALL_MODEL)]]);
  for (const [file, text] of texts) await writeFile(join(folder, file), text);
  return { folder, manifest, texts };
}
