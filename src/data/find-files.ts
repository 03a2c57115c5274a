/** @module The files that --data names: files themselves, and what folders hold, in a stable order. */
import { existsSync } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_NAME } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import type { Refusal } from './refusal.js';

export interface FoundFiles {
  readonly files: readonly string[];
  /** Folders that cannot be listed, and conversions that lie among the text. */
  readonly refused: readonly Refusal[];
}

const SKIPPED_FOLDERS = new Set(['node_modules']);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

/** Files below a folder, sorted; hidden ones and dependencies are not text that somebody meant. */
async function* walk(
  folder: string,
  seen: Set<string>,
  { refused, signal }: { refused: Refusal[]; signal: AbortSignal | undefined },
): AsyncGenerator<string> {
  let names: string[];
  try {
    const real = await realpath(folder);
    if (seen.has(real)) return; // a link back up
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
      // With --data . --out here: the conversion would read itself, and another text each time.
      if (existsSync(join(path, MANIFEST_NAME))) refused.push({ path, reason: 'it is a conversion folder' });
      else yield* walk(path, seen, { refused, signal });
    } else {
      yield path; // also what is no file or cannot be read: reading it names the reason
    }
  }
}

/** Why a path that was given cannot be looked at, as the end of a sentence. */
async function whyNot(path: string, code: string): Promise<string> {
  if (code !== 'ENOENT') return `cannot be read (${code})`;
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  return isLink ? 'is a dangling link' : 'does not exist';
}

/** @throws UsageError for a path that does not exist; the signal's reason. */
export async function findFiles(paths: readonly string[], signal?: AbortSignal): Promise<FoundFiles> {
  const files = new Set<string>();
  const refused: Refusal[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(async (cause) => {
      const problem = await whyNot(path, codeOf(cause));
      throw new UsageError(`${path} ${problem}.`, { hint: '--data takes files and folders.', cause });
    });
    if (!found.isDirectory()) files.add(path);
    else for await (const file of walk(path, new Set(), { refused, signal })) files.add(file);
  }
  return { files: [...files], refused };
}
