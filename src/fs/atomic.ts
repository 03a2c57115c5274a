/** @module Writes files and folders so that they are either complete or absent: a temporary name beside the target, then a rename. */

import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { namingPath } from '../system-errors.js';
import { makeFolder } from './make-folder.js';
import { walk } from './walk.js';

/**
 * Replaces the file atomically: a reader sees either the old contents or the new.
 * @throws a system error that names `path`; the temporary file has been removed by then
 */
export async function writeFileAtomic(path: string, contents: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(contents);
      // Without the sync, a power failure can leave the new name on an empty file.
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
 * Fills a folder under a temporary name beside `path` and renames it. An existing folder is replaced, and restored if the rename
 * fails. If `fill` throws, nothing is left behind.
 * @throws what `fill` throws, and system errors; both name `path` instead of the temporary folder
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
    // A failing removal, for example because the disk became read-only, must not hide why the work failed.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw namingPath(error, { path, temporary });
  }
}

/** Removes a file or folder so that a partial one never remains under its name. Of a symbolic link, it removes only the link. */
export async function removeAtomic(path: string): Promise<void> {
  const removed = await renameAway(path);
  if (removed !== null) await rm(removed, { recursive: true, force: true });
}

/**
 * Removes what killed processes left under temporary names, at any depth. It can be as large as a model. The walk does not
 * follow symbolic links.
 * Call it only on a folder in which no other process works.
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

/** A hidden name in the same folder, so that the rename stays on one file system. It is unique among processes. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
}
