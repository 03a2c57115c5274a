/** @module Finds files that have changed since a stage read them. */

import type { FileState } from '../data/index.js';
import { digestOfFile } from '../fs/index.js';
import { counted } from '../ui/index.js';

/**
 * A file with the same size and modification time counts as unchanged; a file with another time is read again and compared.
 * @param digests sha256 by path, for the files that were read.
 * @returns one clause per file: `notes.txt is new`.
 * @throws the signal's reason.
 */
export async function changedFiles(
  before: readonly FileState[],
  now: readonly FileState[],
  options: { digests: ReadonlyMap<string, string>; signal?: AbortSignal },
): Promise<string[]> {
  const { digests, signal } = options;
  const present = new Map(now.map((file) => [file.path, file]));
  const changes: string[] = [];
  for (const { path, size_bytes, modified } of before) {
    const file = present.get(path);
    present.delete(path);
    if (file === undefined) changes.push(`${path} is gone`);
    else if (file.size_bytes !== size_bytes) changes.push(`${path} was changed`);
    else if (file.modified !== modified) {
      const digest = await digestOfFile(path, signal && { signal }).catch(() => null);
      signal?.throwIfAborted();
      if (digest === null || digest !== digests.get(path)) changes.push(`${path} was changed`);
    }
  }
  return [...changes, ...[...present.keys()].map((path) => `${path} is new`)];
}

/** The first change, and the number of others. */
export function inShort(changes: readonly string[]): string {
  const [first = '', ...others] = changes;
  return others.length === 0 ? first : `${first}, and ${counted(others.length, 'more file')}`;
}
