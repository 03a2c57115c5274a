/** @module Files and folders that are either whole or absent: a temporary name beside the target, then a rename. */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Replaces the file in one step; a reader sees the old text or the new one. */
export async function writeFileAtomic(path: string, contents: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(contents);
      // Without it a power cut can leave the new name on an empty file.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Fills a folder under a temporary name beside `path` and renames it. An existing folder is replaced, and comes back when the
 * rename fails. When `fill` throws nothing is left behind.
 */
export async function writeFolderAtomic<Result>(
  path: string,
  fill: (folder: string) => Promise<Result>,
): Promise<Result> {
  const temporary = temporaryName(path);
  await mkdir(temporary, { recursive: true });
  try {
    const result = await fill(temporary);
    const removed = await renameAway(path);
    try {
      await rename(temporary, path);
    } catch (error) {
      if (removed !== null) await rename(removed, path);
      throw error;
    }
    if (removed !== null) await rm(removed, { recursive: true, force: true });
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Removes a file or folder in a way that never leaves half of it under its name. */
export async function removeAtomic(path: string): Promise<void> {
  const removed = await renameAway(path);
  if (removed !== null) await rm(removed, { recursive: true, force: true });
}

/**
 * Clears what a process that was killed left under temporary names, at any depth: it can be as large as a model.
 * Only for a folder that no other process works in.
 */
export async function sweepTemporary(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  const left = names.filter((name) => TEMPORARY_NAME.test(basename(name)));
  for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
}

async function renameAway(path: string): Promise<string | null> {
  const removed = temporaryName(path);
  try {
    await rename(path, removed);
    return removed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const TEMPORARY_NAME = /^\..+\.tmp-\d+-[0-9a-f]{8}$/;

/** Hidden, in the same folder so that the rename stays on one file system, and unlike any other process's. */
function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
}
