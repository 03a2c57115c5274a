/** @module The files that --data names: files themselves, and what folders hold, in a stable order. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';

const SKIPPED_FOLDERS = new Set(['node_modules']);

/** Files below a folder, sorted; hidden ones and dependencies are not text that somebody meant. */
async function* walk(folder: string, seen: Set<string>): AsyncGenerator<string> {
  const real = await realpath(folder);
  if (seen.has(real)) return; // a link back up
  seen.add(real);
  const entries = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  for (const name of entries) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) {
      if (!SKIPPED_FOLDERS.has(name)) yield* walk(path, seen);
    } else {
      yield path; // also what is no file or cannot be read: reading it names the reason
    }
  }
}

/** @throws UsageError for a path that does not exist. */
export async function findFiles(paths: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const path of paths) {
    const found = await stat(path).catch((cause) => {
      throw new UsageError(`${path} does not exist.`, { hint: '--data takes files and folders.', cause });
    });
    if (!found.isDirectory()) files.add(path);
    else for await (const file of walk(path, new Set())) files.add(file);
  }
  return [...files];
}
