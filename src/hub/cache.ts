/** @module The cache as Python's huggingface_hub lays it out: models--org--name/{blobs,refs,snapshots,trees}. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

export function repositoryFolder(cacheDir: string, id: string): string {
  return join(cacheDir, `models--${id.replace('/', '--')}`);
}

const COMMIT = /^[0-9a-f]{40}$/;

/** The commit that a revision stands for, as far as the cache knows. */
export async function cachedCommit(repository: string, revision: string): Promise<string | null> {
  if (COMMIT.test(revision)) return existsSync(join(repository, 'snapshots', revision)) ? revision : null;
  const ref = await readFile(join(repository, 'refs', revision), 'utf8').catch(() => null);
  return ref !== null && COMMIT.test(ref.trim()) ? ref.trim() : null;
}

/** Files of a snapshot, by their paths in the repository. */
export async function snapshotFiles(repository: string, commit: string): Promise<string[]> {
  const folder = join(repository, 'snapshots', commit);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function replace(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp-${process.pid}`;
  await rm(temporary, { force: true });
  await make(temporary);
  await rename(temporary, path);
}

/** Points a snapshot's file at its blob. */
export async function linkSnapshot(repository: string, commit: string, path: string, blob: string): Promise<void> {
  const link = join(repository, 'snapshots', commit, path);
  const target = relative(dirname(link), join(repository, 'blobs', blob));
  await replace(link, (temporary) => symlink(target, temporary));
}

export async function writeRef(repository: string, revision: string, commit: string): Promise<void> {
  if (COMMIT.test(revision)) return;
  await replace(join(repository, 'refs', revision), (temporary) => writeFile(temporary, commit));
}

export interface TreeEntry {
  readonly size: number;
  readonly blob_id: string;
  readonly lfs_sha256?: string;
  readonly lfs_size?: number;
}

/** What the repository holds at a commit: Python reads it to tell a whole snapshot from a part. */
export async function writeTree(
  repository: string,
  commit: string,
  files: Readonly<Record<string, TreeEntry>>,
): Promise<void> {
  const text = JSON.stringify({ format_version: 1, files });
  await replace(join(repository, 'trees', `${commit}.json`), (temporary) => writeFile(temporary, text));
}
