/** @module What a conversion's text was read from, and whether that is still the same: `data/request.json`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type FileState, openStore } from '../data/index.js';
import { UsageError } from '../errors.js';
import { readJsonIfThere, writeFileAtomic } from '../fs/index.js';
import { changedFiles } from './changed-files.js';

const FILE = 'request.json';

/** What the store was asked to hold. Another request makes another store. */
export interface DataRequest {
  readonly paths: readonly string[];
  readonly settings: string;
  /** What the paths held when they were read. */
  readonly files: readonly FileState[];
}

const requestSchema = z.object({
  paths: z.array(z.string()),
  settings: z.string(),
  files: z
    .array(z.object({ path: z.string(), size_bytes: z.number(), modified: z.iso.datetime().nullable() }))
    .default([]),
});

/** Null when no text was read. @throws ByteifyError when the record of it cannot be used. */
export async function previousRequest(out: string): Promise<DataRequest | null> {
  return readJsonIfThere(join(out, FILE), {
    schema: requestSchema,
    what: 'the record of what was read',
    hint: `Remove ${out} and run again with --data.`,
  });
}

export async function writeRequest(out: string, request: DataRequest): Promise<void> {
  await writeFileAtomic(join(out, FILE), `${JSON.stringify(request)}\n`);
}

/** Which of the files that were read are not what they were, and which are new. */
export async function changesOf(
  out: string,
  before: DataRequest,
  now: DataRequest,
  signal: AbortSignal,
): Promise<string[]> {
  const store = await openStore(out);
  await store.close();
  const digests = new Map(store.manifest.files.map(({ path, sha256 }) => [path, sha256]));
  return changedFiles(before.files, now.files, { digests, signal });
}

/** A path that was read and deleted since is no slip of the pen. */
export function refuseGone(
  wanted: readonly string[],
  before: DataRequest,
  { out, given }: { out: string; given: boolean },
): void {
  const gone = wanted.find((path) => before.paths.includes(path) && !existsSync(path));
  if (gone === undefined) return;
  throw new UsageError(`${gone} was read into ${out} and is gone since.`, {
    hint: given
      ? 'Leave --data out to go on with the text that was read.'
      : 'Give --data PATH, or undo what was changed in the data section of the recipe.',
  });
}
