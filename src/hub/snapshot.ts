/** @module Whether a snapshot in the cache holds what a model needs, asked by reading alone. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { danglingLink, systemCode } from '../system-errors.js';
import type { RemoteFile } from './list-remote.js';

async function faultOf(path: string, { path: name, sizeBytes }: RemoteFile): Promise<string | null> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return `${name} is not a file there`;
    return found.size === sizeBytes ? null : `${name} has ${found.size} bytes there instead of ${sizeBytes}`;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return danglingLink(path) === null ? `${name} is missing` : `the link to ${name} leads nowhere`;
    return `${name} cannot be read (${code})`;
  }
}

/**
 * The first of the files that is not whole in a snapshot, and why; null when all are. Sizes are compared, contents are not.
 * @param folder of the snapshot; @param files what the hub lists of them.
 */
export async function snapshotFault(folder: string, files: readonly RemoteFile[]): Promise<string | null> {
  for (const file of files) {
    const fault = await faultOf(join(folder, file.path), file);
    if (fault !== null) return fault;
  }
  return null;
}
