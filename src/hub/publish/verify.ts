/** @module Verifies a repository after publishing: it has every local file, and none of an earlier model's files. */
import { ByteifyError } from '../../errors.js';
import type { RemoteFile } from '../list-remote.js';
import { isSame } from './changes.js';
import type { LocalFile } from './local-files.js';

/**
 * @param removed paths that the repository must no longer have.
 * @param where the repository's name in the error.
 * @throws ByteifyError naming the files that are missing, differ, or should have been removed.
 */
export function verifyTree(
  remote: readonly RemoteFile[],
  local: readonly LocalFile[],
  removed: readonly string[],
  where: string,
): void {
  const existing = new Map(remote.map((file) => [file.path, file]));
  const missing = local.filter(({ path }) => !existing.has(path)).map(({ path }) => path);
  const wrong = local
    .filter((file) => {
      const found = existing.get(file.path);
      return found !== undefined && !isSame(file, found);
    })
    .map(({ path }) => path);
  const left = removed.filter((path) => existing.has(path));
  const faults = [
    ...(missing.length > 0 ? [`lacks ${missing.join(', ')}`] : []),
    ...(wrong.length > 0 ? [`has other bytes than were sent for ${wrong.join(', ')}`] : []),
    ...(left.length > 0 ? [`still has ${left.join(', ')}`] : []),
  ];
  if (faults.length === 0) return;
  throw new ByteifyError(`${where} ${faults.join(' and ')}.`, {
    hint: 'Do not use the repository in this state. Run the same command again to repair it.',
  });
}
