/** @module Finds the files that --data names: the files themselves, and those in folders, in a stable order. */
import { existsSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_NAME } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { danglingLink } from '../system-errors.js';
import { notMerged, preparedShards, UNFINISHED } from './prepared/list-shards.js';
import type { Refusal } from './refusal.js';

export interface FoundFiles {
  readonly files: readonly string[];
  /** Folders that cannot be listed, and conversion folders and incomplete prepared folders among the text. */
  readonly refused: readonly Refusal[];
}

const SKIPPED_FOLDERS = new Set(['node_modules']);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

interface Walk {
  readonly seen: Set<string>;
  readonly refused: Refusal[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Yields the files below a folder, sorted, without hidden files and dependencies, which nobody means as training text. Links are followed,
 * since users keep corpora behind links. Each folder is read once however many links lead to it, so that a loop of links ends.
 */
async function* walk(folder: string, { seen, refused, signal }: Walk): AsyncGenerator<string> {
  signal?.throwIfAborted();
  let names: string[];
  try {
    const real = await realpath(folder);
    if (seen.has(real)) return;
    seen.add(real);
    names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    refused.push({ path: folder, reason: `it cannot be listed (${codeOf(error)})` });
    return;
  }
  for (const name of names) {
    signal?.throwIfAborted();
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) {
      if (SKIPPED_FOLDERS.has(name)) continue;
      // With `--data . --out here` the conversion would read its own output, which changes each time.
      if (existsSync(join(path, MANIFEST_NAME))) refused.push({ path, reason: 'it is a conversion folder' });
      else yield* filesIn(path, { seen, refused, signal }, () => refused.push({ path, reason: UNFINISHED }));
    } else {
      yield path; // includes special and unreadable files: reading them reports the reason
    }
  }
}

/** The shards of a prepared folder, or the files below any other. @param onUnfinished the folder is a prepared one that is not complete */
async function* filesIn(folder: string, options: Walk, onUnfinished: () => void): AsyncGenerator<string> {
  const shards = await preparedShards(folder);
  if (shards === 'unfinished') onUnfinished();
  else if (shards !== null) yield* shards;
  else yield* walk(folder, options);
}

/**
 * Lists the files that the paths name or contain; of a prepared folder, the records of its shards.
 * @throws UsageError if a path does not exist or cannot be read; the signal's reason.
 */
export async function findFiles(paths: readonly string[], signal?: AbortSignal): Promise<FoundFiles> {
  const files = new Set<string>();
  const refused: Refusal[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((cause) => {
      const dangling = danglingLink(path);
      const absent = dangling === null ? 'does not exist' : `leads to ${dangling.target}, which does not exist`;
      const problem = codeOf(cause) === 'ENOENT' ? absent : `cannot be read (${codeOf(cause)})`;
      throw new UsageError(`${path} ${problem}.`, { hint: 'Give files and folders that exist.', cause });
    });
    if (!found.isDirectory()) files.add(path);
    else {
      const refuse = () => {
        throw notMerged(path);
      };
      for await (const file of filesIn(path, { seen: new Set(), refused, signal }, refuse)) files.add(file);
    }
  }
  return { files: [...files], refused };
}
