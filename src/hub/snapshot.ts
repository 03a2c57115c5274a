/** @module Checks, without writing, whether a snapshot in the cache is complete. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { danglingLink, systemCode } from '../system-errors.js';
import type { RemoteFile } from './list-remote.js';

async function faultOf(path: string, { path: name, sizeBytes }: RemoteFile): Promise<string | null> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return `${name} is not a file`;
    return found.size === sizeBytes ? null : `${name} has ${found.size} bytes instead of ${sizeBytes}`;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return danglingLink(path) === null ? `${name} is missing` : `${name} is a dangling link`;
    return `${name} cannot be read (${code})`;
  }
}

/**
 * Finds the first missing or incomplete file of a snapshot and describes the fault; null if there is none. Compares sizes, not contents.
 * @param folder of the snapshot; @param files to check, as the hub lists them.
 */
export async function snapshotFault(folder: string, files: readonly RemoteFile[]): Promise<string | null> {
  for (const file of files) {
    const fault = await faultOf(join(folder, file.path), file);
    if (fault !== null) return fault;
  }
  return null;
}
