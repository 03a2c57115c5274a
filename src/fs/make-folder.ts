/** @module Makes a folder with those above it, and fails with the true reason. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../system-errors.js';

/**
 * As `mkdir` with `recursive`, which says of a read-only disk, and of others, that the folder does not exist.
 * @returns false when the folder was there
 * @throws an error of the system that names the folder which could not be made
 */
export async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder) return false;
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  await makeFolder(dirname(path));
  // Another process may have made it meanwhile.
  return mkdir(path).then(
    () => true,
    (error: unknown) => {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    },
  );
}
