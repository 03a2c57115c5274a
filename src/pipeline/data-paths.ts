/** @module Which paths of `--data` belong to which domain of the recipe, and which files they name. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { needsSource } from '../blt/index.js';
import { DEFAULT_DOMAIN, type DomainFiles, type FileState, inReadingOrder, listFiles } from '../data/index.js';
import { UsageError } from '../errors.js';
import type { Recipe } from '../recipe/index.js';

/** A path with the domain that it belongs to. */
export interface DataPath {
  readonly domain: string;
  /** Absolute. */
  readonly path: string;
}

type Domains = NonNullable<Recipe['data']['domains']>;

const NAMED = /^([a-z][a-z0-9_]*)=(.+)$/s;

/**
 * Reads one value of `--data`: `NAME=PATH`, or a path alone.
 * @throws UsageError if it names a domain that the recipe does not have
 */
function dataPath(value: string, domains: Domains): DataPath {
  const [, name, path] = NAMED.exec(value) ?? [];
  if (name !== undefined && Object.hasOwn(domains, name)) return { domain: name, path: resolve(path!) };
  if (name === undefined || existsSync(value)) return { domain: DEFAULT_DOMAIN, path: resolve(value) };
  const known = Object.keys(domains);
  throw new UsageError(`--data ${value}: the recipe has no domain "${name}".`, {
    hint:
      known.length > 0
        ? `Its domains are: ${known.join(', ')}.`
        : `Add data.domains.${name} to the recipe, or pass --set data.domains.${name}.kind=bytes.`,
  });
}

/** @throws UsageError if paths without a name belong to a domain without a weight, while the others have one */
function checkWeights(paths: readonly DataPath[], domains: Domains): void {
  const isImplicit = !Object.hasOwn(domains, DEFAULT_DOMAIN) && paths.some(({ domain }) => domain === DEFAULT_DOMAIN);
  if (!isImplicit || Object.values(domains).every(({ weight }) => weight === undefined)) return;
  throw new UsageError(`The domain "${DEFAULT_DOMAIN}" has no weight, but the recipe's others have.`, {
    hint: `Add data.domains.${DEFAULT_DOMAIN}.weight to the recipe; paths without a name belong to this domain.`,
  });
}

/** @throws UsageError if something in the recipe learns from the source's tokens, and no domain is text */
function checkText(paths: readonly DataPath[], recipe: Recipe): void {
  if (domainFiles(paths, recipe).some(({ kind }) => kind === 'text')) return;
  const learning = recipe.stages.find(needsSource);
  const what =
    recipe.patcher.kind === 'aligned' ? 'An aligned patcher' : learning && `A stage of kind ${learning.kind}`;
  if (what === undefined) return;
  throw new UsageError(`${what} learns from the source, which reads text, and no domain of the data is text.`, {
    hint: 'Pass text as well, or use a recipe with patcher.kind: entropy and only end-to-end or join stages without prefix_kl.',
  });
}

/**
 * @throws UsageError for a domain of the recipe that no path belongs to, for a path of a domain that the recipe does not have, for a domain without
 * a weight beside others with one, and if the source would have to read what is no text
 */
export function checkDomains(paths: readonly DataPath[], recipe: Recipe): void {
  const { domains = {} } = recipe.data;
  checkWeights(paths, domains);
  checkText(paths, recipe);
  const other = paths.find(({ domain }) => domain !== DEFAULT_DOMAIN && !Object.hasOwn(domains, domain));
  if (other !== undefined)
    throw new UsageError(`${other.path} was read as "${other.domain}", which is no domain of the recipe any more.`, {
      hint: `Add data.domains.${other.domain} to the recipe again, or pass --data anew.`,
    });
  const missing = Object.keys(domains).find((name) => paths.every(({ domain }) => domain !== name));
  if (missing !== undefined)
    throw new UsageError(`The recipe's domain "${missing}" has no data.`, {
      hint: `Pass --data ${missing === DEFAULT_DOMAIN ? '' : `${missing}=`}PATH as well.`,
    });
}

/** The paths that `--data` values name. @throws UsageError for a domain that the recipe does not have */
export const dataPaths = (values: readonly string[], { data: { domains = {} } }: Recipe): DataPath[] =>
  values.map((value) => dataPath(value, domains));

/** What a store is built from: the paths by domain, with the recipe's settings. */
export function domainFiles(paths: readonly DataPath[], { data }: Recipe): DomainFiles[] {
  const names = [...new Set([...Object.keys(data.domains ?? {}), ...paths.map(({ domain }) => domain)])];
  return names.map((name) => {
    const settings = data.domains?.[name];
    return {
      name,
      kind: settings?.kind ?? 'text',
      paths: paths.filter(({ domain }) => domain === name).map(({ path }) => path),
      chunkBytes: settings?.max_document_bytes ?? data.max_document_bytes,
      longer: settings?.longer_documents ?? 'cut',
      weight: settings?.weight ?? null,
    };
  });
}

/** A file with the domain that it belongs to. */
export interface DomainFile extends FileState {
  readonly domain: string;
}

/** The files of the paths. One that several domains name belongs to the first, as in the store. @throws the signal's reason */
export async function filesOf(paths: readonly DataPath[], recipe: Recipe, signal: AbortSignal): Promise<DomainFile[]> {
  const files = new Map<string, DomainFile>();
  for (const { name, paths: own } of inReadingOrder(domainFiles(paths, recipe)))
    for (const file of await listFiles(own, signal))
      if (!files.has(file.path)) files.set(file.path, { ...file, domain: name });
  return [...files.values()];
}
