/** @module Walks everything below a folder without following symbolic links, so that the walk stays inside the folder and always ends. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface WalkedEntry {
  /** Relative to the root of the walk, with the system's separator. */
  readonly path: string;
  /** `link` for any symbolic link, whatever its target. */
  readonly kind: 'file' | 'folder' | 'link' | 'other';
}

export interface WalkOptions {
  /** Checked before each folder. */
  readonly signal?: AbortSignal | undefined;
  /** Return false to skip the contents of a folder; the folder itself is still yielded. */
  readonly enter?: (path: string) => boolean;
}

function kindOf(entry: Dirent): WalkedEntry['kind'] {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'folder';
  return entry.isFile() ? 'file' : 'other';
}

/**
 * Yields entries in order of their names, each folder before its contents. It does not enter folders that are links, except the root.
 * @throws errors from listing a folder; the signal's reason
 */
export async function* walk(folder: string, options: WalkOptions = {}): AsyncGenerator<WalkedEntry> {
  const { signal, enter = () => true } = options;
  // The folders still to enter, the next one last: an explicit stack, so that deep trees need no recursion.
  const pending = [''];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    signal?.throwIfAborted();
    const entries = await readdir(join(folder, below), { withFileTypes: true });
    const folders: string[] = [];
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(below, entry.name);
      const kind = kindOf(entry);
      yield { path, kind };
      if (kind === 'folder' && enter(path)) folders.push(path);
    }
    pending.push(...folders.reverse());
  }
}
