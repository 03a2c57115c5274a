/** @module The repository after a publish: every file as it is here, and none of an earlier model. */
import { ByteifyError } from '../../errors.js';
import type { RemoteFile } from '../list-remote.js';
import { isSame } from './changes.js';
import type { LocalFile } from './local-files.js';

/**
 * @param removed paths that must be gone
 * @param where names the repository in the error
 * @throws ByteifyError naming the files that are not there, or not with these bytes, or still there
 */
export function verifyTree(
  remote: readonly RemoteFile[],
  local: readonly LocalFile[],
  removed: readonly string[],
  where: string,
): void {
  const there = new Map(remote.map((file) => [file.path, file]));
  const missing = local.filter(({ path }) => !there.has(path)).map(({ path }) => path);
  const wrong = local
    .filter((file) => {
      const found = there.get(file.path);
      return found !== undefined && !isSame(file, found);
    })
    .map(({ path }) => path);
  const left = removed.filter((path) => there.has(path));
  const faults = [
    ...(missing.length > 0 ? [`lacks ${missing.join(', ')}`] : []),
    ...(wrong.length > 0 ? [`has other bytes of ${wrong.join(', ')} than were sent`] : []),
    ...(left.length > 0 ? [`still has ${left.join(', ')}`] : []),
  ];
  if (faults.length === 0) return;
  throw new ByteifyError(`${where} ${faults.join(' and ')}.`, {
    hint: 'Do not use it as it is. Run the same command again: it mends what is missing or wrong.',
  });
}
