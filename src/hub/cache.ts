/** @module The cache, in the layout of Python's huggingface_hub: models--org--name/{blobs,refs,snapshots,trees}. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { jsonOrNull, readTextIfThere, writeFileAtomic } from '../fs/index.js';
import { systemCode, systemFailure } from '../system-errors.js';
import { isDatasetId } from './model-id.js';

/** The folder of a repository in the cache: `models--org--name`, or `datasets--org--name` for datasets/org/name. */
export function repositoryFolder(cacheDir: string, id: string): string {
  return join(cacheDir, `${isDatasetId(id) ? '' : 'models--'}${id.replaceAll('/', '--')}`);
}

/** The signature of bford.info/cachedir: backup programs skip folders with this file. */
const CACHE_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This folder contains downloads from the Hugging Face Hub, which can be downloaded again.
`;

/** Writes CACHEDIR.TAG, as Python's client does, unless it exists or this user may not write to the cache. */
export async function tagCache(cacheDir: string): Promise<void> {
  await writeFile(join(cacheDir, 'CACHEDIR.TAG'), CACHE_TAG, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (!['EEXIST', 'EACCES', 'EPERM'].includes(error.code ?? '')) throw error;
  });
}

const COMMIT = /^[0-9a-f]{40}$/;

/** Returns `absent` if the path does not exist. @throws ByteifyError if it exists but cannot be read, as in another user's cache. */
function absentOrThrow<Value>(error: unknown, path: string, absent: Value): Value {
  if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return absent;
  throw systemFailure(error, path) ?? error;
}

/** The commit of a revision according to the cache, or null if the cache does not know it. */
export async function cachedCommit(repository: string, revision: string): Promise<string | null> {
  if (COMMIT.test(revision)) return existsSync(join(repository, 'snapshots', revision)) ? revision : null;
  const path = join(repository, 'refs', revision);
  const ref = await readFile(path, 'utf8').catch((error: unknown) => absentOrThrow(error, path, null));
  return ref !== null && COMMIT.test(ref.trim()) ? ref.trim() : null;
}

/** Paths in the repository of a snapshot's files whose blobs exist. */
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

/**
 * Links a file of a snapshot to its blob. The caller must hold the repository's lock, since leftover temporary links are replaced.
 * @throws ByteifyError if the file system does not allow links.
 */
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

/** Records the commit of a branch or tag, as huggingface_hub does. A commit needs no record. */
export async function writeRef(repository: string, revision: string, commit: string): Promise<void> {
  if (COMMIT.test(revision) || (await cachedCommit(repository, revision)) === commit) return;
  const path = join(repository, 'refs', revision);
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, commit);
}

export interface TreeEntry {
  readonly size: number;
  /** git's sha1 of the file, or of its pointer if the file is in large-file storage. */
  readonly blob_id: string;
  readonly lfs_sha256?: string;
  readonly lfs_size?: number;
  readonly xet_hash?: string;
}

/** JSON in ASCII, as Python writes it. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Records all files of the repository at a commit, from which Python's client recognises a complete snapshot. */
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

const treeSchema = z.object({
  files: z.record(z.string(), z.object({ size: z.number(), blob_id: z.string(), lfs_sha256: z.string().optional() })),
});

/** The files of a repository at a commit as the cache has recorded them; null if it has not. */
export async function readTree(repository: string, commit: string): Promise<ReadonlyMap<string, TreeEntry> | null> {
  const text = await readTextIfThere(join(repository, 'trees', `${commit}.json`));
  const parsed = text === null ? null : treeSchema.safeParse(jsonOrNull(text));
  return parsed?.success ? new Map(Object.entries(parsed.data.files) as [string, TreeEntry][]) : null;
}
