/** @module Files and folders that are either whole or absent: a temporary name beside the target, then a rename. */

import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { namingPath } from '../system-errors.js';
import { makeFolder } from './make-folder.js';
import { walk } from './walk.js';

/**
 * Replaces the file in one step; a reader sees the old text or the new one.
 * @throws an error of the system that names `path`, after which nothing is left of the new text
 */
export async function writeFileAtomic(path: string, contents: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(contents);
      // Without it a power cut can leave the new name on an empty file.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw namingPath(error, { path, temporary });
  }
}

/**
 * Fills a folder under a temporary name beside `path` and renames it. An existing folder is replaced, and comes back when the
 * rename fails. When `fill` throws nothing is left behind.
 * @throws what `fill` throws, and errors of the system; both name `path` instead of the temporary folder
 */
export async function writeFolderAtomic<Result>(
  path: string,
  fill: (folder: string) => Promise<Result>,
): Promise<Result> {
  const temporary = temporaryName(path);
  try {
    await makeFolder(temporary);
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
    // What hinders the removal, a disk that is read-only by now, must not hide why the work failed.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw namingPath(error, { path, temporary });
  }
}

/** Removes a file or folder in a way that never leaves half of it under its name; of a link the link alone. */
export async function removeAtomic(path: string): Promise<void> {
  const removed = await renameAway(path);
  if (removed !== null) await rm(removed, { recursive: true, force: true });
}

/**
 * Clears what a process that was killed left under temporary names, at any depth: it can be as large as a model. What lies behind a
 * symbolic link is not looked at.
 * Only for a folder that no other process works in.
 * @throws the signal's reason
 */
export async function sweepTemporary(
  folder: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const isTemporary = (path: string) => TEMPORARY_NAME.test(basename(path));
  const left: string[] = [];
  for await (const { path } of walk(folder, { ...options, enter: (path) => !isTemporary(path) })) {
    if (isTemporary(path)) left.push(path);
  }
  for (const path of left) {
    options.signal?.throwIfAborted();
    await rm(join(folder, path), { recursive: true, force: true });
  }
}

async function renameAway(path: string): Promise<string | null> {
  const removed = temporaryName(path);
  try {
    await rename(path, removed);
    return removed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw namingPath(error, { path, temporary: removed });
  }
}

const TEMPORARY_NAME = /^\..+\.tmp-\d+-[0-9a-f]{8}$/;

/** Hidden, in the same folder so that the rename stays on one file system, and unlike any other process's. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
}
