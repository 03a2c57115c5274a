/** @module Creates a folder and its parents, and fails with the true reason. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../system-errors.js';

/**
 * Like `mkdir` with `recursive`, which reports a read-only disk, among others, as a folder that does not exist.
 * @returns false when the folder already existed
 * @throws a system error naming the folder that could not be created
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
  // Another process may have created it meanwhile.
  return mkdir(path).then(
    () => true,
    (error: unknown) => {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    },
  );
}
