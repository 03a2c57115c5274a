/** @module The cache as Python's huggingface_hub lays it out: models--org--name/{blobs,refs,snapshots,trees}. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { writeFileAtomic } from '../fs/index.js';
import { systemCode, systemFailure } from '../system-errors.js';

/** Where the cache keeps a model: `models--org--name`. */
export function repositoryFolder(cacheDir: string, id: string): string {
  return join(cacheDir, `models--${id.replace('/', '--')}`);
}

/** The signature of bford.info/cachedir: backups pass over a folder that has it. */
const CACHE_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# What lies here was downloaded from the Hugging Face Hub, and can be again.
`;

/** As Python's client does, in a cache that has none and is this user's. */
export async function tagCache(cacheDir: string): Promise<void> {
  await writeFile(join(cacheDir, 'CACHEDIR.TAG'), CACHE_TAG, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (!['EEXIST', 'EACCES', 'EPERM'].includes(error.code ?? '')) throw error;
  });
}

const COMMIT = /^[0-9a-f]{40}$/;

/** What is given where nothing is there. @throws ByteifyError for what is there and cannot be read, as in another user's cache. */
function absentOrThrow<Value>(error: unknown, path: string, absent: Value): Value {
  if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return absent;
  throw systemFailure(error, path) ?? error;
}

/** The commit that a revision stands for, as far as the cache knows. */
export async function cachedCommit(repository: string, revision: string): Promise<string | null> {
  if (COMMIT.test(revision)) return existsSync(join(repository, 'snapshots', revision)) ? revision : null;
  const path = join(repository, 'refs', revision);
  const ref = await readFile(path, 'utf8').catch((error: unknown) => absentOrThrow(error, path, null));
  return ref !== null && COMMIT.test(ref.trim()) ? ref.trim() : null;
}

/** Files of a snapshot whose bytes are there, by their paths in the repository. */
export async function snapshotFiles(repository: string, commit: string): Promise<string[]> {
  const folder = join(repository, 'snapshots', commit);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) =>
    absentOrThrow(error, folder, []),
  );
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => existsSync(path))
    .map((path) => relative(folder, path))
    .sort();
}

/** Points a snapshot's file at its blob. Only under the repository's lock: what a killed process left is replaced. */
export async function linkSnapshot(repository: string, commit: string, path: string, blob: string): Promise<void> {
  const link = join(repository, 'snapshots', commit, path);
  const target = relative(dirname(link), join(repository, 'blobs', blob));
  if ((await readlink(link).catch(() => null)) === target) return;
  await mkdir(dirname(link), { recursive: true });
  const temporary = join(dirname(link), `.${basename(link)}.tmp`);
  await rm(temporary, { force: true });
  await symlink(target, temporary).catch((cause: unknown) => {
    throw systemFailure(cause, repository) ?? cause;
  });
  await rename(temporary, link);
}

/** Records the commit that a branch or tag stands for, as huggingface_hub does; a commit stands for itself. */
export async function writeRef(repository: string, revision: string, commit: string): Promise<void> {
  if (COMMIT.test(revision) || (await cachedCommit(repository, revision)) === commit) return;
  const path = join(repository, 'refs', revision);
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, commit);
}

export interface TreeEntry {
  readonly size: number;
  /** git's sha1; of the pointer for a file in large-file storage. */
  readonly blob_id: string;
  readonly lfs_sha256?: string;
  readonly lfs_size?: number;
  readonly xet_hash?: string;
}

/** As Python writes JSON: in ASCII. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** All that the repository holds at a commit, which never changes: Python tells a whole snapshot from a part by it. */
export async function writeTree(
  repository: string,
  commit: string,
  files: ReadonlyMap<string, TreeEntry>,
): Promise<void> {
  const path = join(repository, 'trees', `${commit}.json`);
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true });
  const sorted = [...files].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  await writeFileAtomic(path, asciiJson({ format_version: 1, files: Object.fromEntries(sorted) }));
}
