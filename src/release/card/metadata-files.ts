/** @module Collects an export's metadata: the inputs of its card, the recipe, the provenance, and the source's licence files. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type Manifest, STAGES } from '../../conversion/index.js';
import { readStoreManifest } from '../../data/index.js';
import { isThere, readTextIfThere } from '../../fs/index.js';
import { type DataSource, type Recipe, recipeToYaml } from '../../recipe/index.js';
import { CHAT_TEMPLATE_NAME, readChatTemplate } from '../../tokenizer/index.js';
import { readCard } from '../front-matter.js';
import { licenceFileKind, noticeWith } from '../licence-files.js';
import { licenceOf } from '../licences.js';
import { withRequiredPrefix } from '../llama-licences.js';
import {
  lastPart,
  PROVENANCE_NAME,
  type Provenance,
  parseProvenance,
  RECIPE_NAME,
  sourceName,
  type TrainedElsewhere,
} from '../provenance.js';
import { type CardInputs, cardFromManifest, type TextFacts } from './inputs.js';

export interface MetadataFiles {
  readonly card: CardInputs;
  /** Texts by file name. */
  readonly files: ReadonlyMap<string, string>;
}

const SOURCE = STAGES.find(({ name }) => name === 'import')!.output;

/** The default name of an exported model. */
export function modelName(manifest: Manifest, folder: string): string {
  const source = lastPart(sourceName(manifest) ?? basename(resolve(folder)));
  return `${source.replace(/^builtin:/, '').replace(/\.gguf$/i, '')}-BLT`;
}

/** The recipe in a form that anyone can run: the source is named by id and commit, or by file name only. */
function publishedRecipe(recipe: Recipe, manifest: Manifest): Recipe {
  const name = sourceName(manifest);
  if (name === null) return recipe;
  const model = manifest.revision === null ? name : `${name}@${manifest.revision}`;
  return { ...recipe, source: { model } };
}

/**
 * @param params.folder a conversion, or a plain checkpoint folder. One that byteify exported passes its provenance, recipe and licence files on.
 * @param params.recipe of the folder; without a recorded history only its `export` section is used.
 * @param params.trainedElsewhere a training that followed.
 * @param params.name of the model; a licence may require a prefix, which is then added.
 * @throws the errors of reading the folder.
 */
export async function metadataFiles(params: {
  folder: string;
  manifest: Manifest | null;
  recipe: Recipe;
  name: string;
  trainedElsewhere?: TrainedElsewhere;
}): Promise<MetadataFiles> {
  const { folder, manifest, recipe } = params;
  const dataSources = recipe.export.data_sources ?? [];
  const carried = manifest === null ? await carriedProvenance(folder) : null;
  // Where the licence files are; null if nothing is known.
  const home = manifest !== null ? join(folder, SOURCE) : carried !== null ? folder : null;
  const files = new Map(home === null ? [] : await licenceTexts(home));
  const { llama } = licenceOf(manifest?.license ?? carried?.source?.license ?? null);
  if (llama !== null) {
    const { name, text } = noticeWith(llama, files);
    files.set(name, text);
  }
  const hasRecipe = carried === null ? manifest?.recipe != null : carried.recipe !== null;
  const made = cardFromManifest(manifest, {
    name: llama === null ? params.name : withRequiredPrefix(params.name, llama),
    languages: recipe.export.language,
    dataSources,
    recipe: hasRecipe ? recipe : null,
    text: manifest === null ? null : await textFacts(folder),
    licenceFiles: [...files.keys()].sort(),
    licenceLink: home === null ? null : await licenceLinkOf(home),
  });
  const provenance = withTraining(carried === null ? made.provenance : passedOn(carried, dataSources), params);
  const card = { ...made, provenance };
  const template = home === null ? null : await readChatTemplate(home);
  if (template !== null) files.set(CHAT_TEMPLATE_NAME, template);
  files.set(PROVENANCE_NAME, `${JSON.stringify(provenance, null, 2)}\n`);
  if (hasRecipe) files.set(RECIPE_NAME, recipeToYaml(manifest === null ? recipe : publishedRecipe(recipe, manifest)));
  return { card, files };
}

/** The provenance of a folder that byteify exported with its recipe; null for any other folder. */
async function carriedProvenance(folder: string): Promise<Provenance | null> {
  const text = await readTextIfThere(join(folder, PROVENANCE_NAME));
  if (text === null) return null;
  try {
    const provenance = parseProvenance(text);
    const isWhole = provenance.recipe === null || isThere(join(folder, RECIPE_NAME));
    return isWhole ? provenance : { ...provenance, recipe: null };
  } catch {
    return null; // the file of another program
  }
}

/** Data sources that are stated now replace earlier ones. */
const passedOn = (provenance: Provenance, sources: readonly DataSource[]): Provenance =>
  sources.length === 0 ? provenance : { ...provenance, data: { ...provenance.data, sources: [...sources] } };

const withTraining = (
  provenance: Provenance,
  { trainedElsewhere }: { readonly trainedElsewhere?: TrainedElsewhere },
): Provenance =>
  trainedElsewhere === undefined
    ? provenance
    : { ...provenance, trained_elsewhere: [...(provenance.trained_elsewhere ?? []), trainedElsewhere] };

async function licenceTexts(source: string): Promise<[string, string][]> {
  const names = (await namesIn(source)).filter((name) => licenceFileKind(name) !== null);
  return Promise.all(names.map(async (name) => [name, await readFile(join(source, name), 'utf8')] as [string, string]));
}

/** The names in a folder; empty if it does not exist, since a conversion that started from a BLT has no source. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

async function licenceLinkOf(source: string): Promise<string | null> {
  const text = await readFile(join(source, 'README.md'), 'utf8').catch(() => '');
  const { license_link: link } = (readCard(text).front ?? {}) as { license_link?: unknown };
  return typeof link === 'string' ? link : null;
}

/** Read from the store's manifest; null if this conversion read no text. */
async function textFacts(folder: string): Promise<TextFacts | null> {
  const store = await readStoreManifest(join(folder, 'data'));
  if (store === null) return null;
  const { files, train, validation, domains = [] } = store;
  const documents = files.reduce((sum, file) => sum + file.documents, 0);
  const parts = domains.length < 2 ? [] : domains.map(({ name, train: { bytes } }) => ({ name, trainBytes: bytes }));
  return { documents, domains: parts, trainBytes: train.bytes, heldOutBytes: validation.bytes };
}
