/** @module Records the files and settings from which a conversion's text was read, and detects changes: `data/request.json`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DEFAULT_DOMAIN, openStore } from '../data/index.js';
import { UsageError } from '../errors.js';
import { readJsonIfThere, writeFileAtomic } from '../fs/index.js';
import { changedFiles } from './changed-files.js';
import type { DataPath, DomainFile } from './data-paths.js';

const FILE = 'request.json';

/** The files and settings of a store. A different request builds a different store. */
export interface DataRequest {
  readonly paths: readonly DataPath[];
  readonly settings: string;
  /** The files under the paths when they were read. */
  readonly files: readonly DomainFile[];
}

const ofDefaultDomain = (path: string): DataPath => ({ domain: DEFAULT_DOMAIN, path });

const requestSchema = z.object({
  // Earlier versions had no domains.
  paths: z.array(z.union([z.string().transform(ofDefaultDomain), z.object({ domain: z.string(), path: z.string() })])),
  settings: z.string(),
  files: z
    .array(
      z.object({
        path: z.string(),
        size_bytes: z.number(),
        modified: z.iso.datetime().nullable(),
        domain: z.string().default(DEFAULT_DOMAIN),
      }),
    )
    .default([]),
});

/** Reads the previous request; null when no text has been read. @throws ByteifyError when its record cannot be used. */
export async function previousRequest(out: string): Promise<DataRequest | null> {
  return readJsonIfThere(join(out, FILE), {
    schema: requestSchema,
    what: 'the record of the data that was read',
    hint: `Remove ${out} and run again with --data.`,
  });
}

export async function writeRequest(out: string, request: DataRequest): Promise<void> {
  await writeFileAtomic(join(out, FILE), `${JSON.stringify(request)}\n`);
}

/** The files that have changed since they were read, and new ones, as one clause per file. */
export async function changesOf(
  out: string,
  before: DataRequest,
  now: DataRequest,
  signal: AbortSignal,
): Promise<string[]> {
  const store = await openStore(out);
  await store.close();
  const digests = new Map(store.manifest.files.map(({ path, sha256 }) => [path, sha256]));
  const domains = new Map(before.files.map(({ path, domain }) => [path, domain]));
  const moved = now.files.filter(({ path, domain }) => domain !== (domains.get(path) ?? domain));
  const changed = await changedFiles(before.files, now.files, { digests, signal });
  return [...changed, ...moved.map(({ path, domain }) => `${path} is now of the domain ${domain}`)];
}

/** Refuses a path that was read before and has since been deleted. @throws UsageError */
export function refuseGone(
  wanted: readonly DataPath[],
  before: DataRequest,
  { out, given }: { out: string; given: boolean },
): void {
  const known = before.paths.map(({ path }) => path);
  const gone = wanted.map(({ path }) => path).find((path) => known.includes(path) && !existsSync(path));
  if (gone === undefined) return;
  throw new UsageError(`${gone} was read into ${out} and is gone since.`, {
    hint: given
      ? 'Leave --data out to continue with the text that was read.'
      : 'Give --data PATH, or undo the changes to the data section of the recipe.',
  });
}
