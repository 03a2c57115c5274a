/** @module Everything below a folder, without following a symbolic link: a walk never leaves the folder and always ends. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface WalkedEntry {
  /** Relative to the folder of the walk, with the separator of the system. */
  readonly path: string;
  /** A link is one itself, whatever it leads to. */
  readonly kind: 'file' | 'folder' | 'link' | 'other';
}

export interface WalkOptions {
  /** Looked at before each folder. */
  readonly signal?: AbortSignal | undefined;
  /** False passes over a folder and what it holds; the folder itself is told. */
  readonly enter?: (path: string) => boolean;
}

function kindOf(entry: Dirent): WalkedEntry['kind'] {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'folder';
  return entry.isFile() ? 'file' : 'other';
}

/**
 * Entries in the order of their names, a folder before what it holds. A folder that is a link, the first one excepted, is not entered.
 * @throws what listing a folder throws; the signal's reason
 */
export async function* walk(folder: string, options: WalkOptions = {}): AsyncGenerator<WalkedEntry> {
  const { signal, enter = () => true } = options;
  // The folders still to be entered, the next one last: a deep tree needs no deep stack.
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
