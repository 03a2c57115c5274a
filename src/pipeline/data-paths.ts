/** @module Which paths of `--data` belong to which domain of the recipe, and which files they name. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
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
  if (name !== undefined && name in domains) return { domain: name, path: resolve(path!) };
  if (name === undefined || existsSync(value)) return { domain: DEFAULT_DOMAIN, path: resolve(value) };
  const known = Object.keys(domains);
  throw new UsageError(`--data ${value}: the recipe has no domain "${name}".`, {
    hint:
      known.length > 0
        ? `Its domains are: ${known.join(', ')}.`
        : `Add data.domains.${name} to the recipe, or pass --set data.domains.${name}.kind=bytes.`,
  });
}

/** @throws UsageError for a domain of the recipe that no path belongs to, and for a path of a domain that the recipe does not have */
export function checkDomains(paths: readonly DataPath[], { data: { domains = {} } }: Recipe): void {
  const other = paths.find(({ domain }) => domain !== DEFAULT_DOMAIN && !(domain in domains));
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
