/** @module Datasets of the hub: which files one has at a commit, and each of them as a file in the cache when it is wanted. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ByteifyError } from '../errors.js';
import { sizeOnDisk } from '../fs/index.js';
import { lockFolder } from '../fs/lock.js';
import { partPath } from '../net/index.js';
import { cachedCommit, readTree, tagCache, writeRef, writeTree } from './cache.js';
import { downloadFiles } from './download-files.js';
import { type HubOptions, listOrCached } from './find-model.js';
import { type RemoteFile, type RemoteTree, treeEntries } from './list-remote.js';
import { type DatasetId, parseDatasetId } from './model-id.js';
import { snapshotFault } from './snapshot.js';

export interface DatasetFile {
  /** In the repository. */
  readonly path: string;
  readonly sizeBytes: number;
  /** sha256 of its contents; of a small file, git's sha1. */
  readonly digest: string;
  /** Downloads and verifies it, unless the cache has it. @returns its path in the cache */
  fetch(): Promise<string>;
}

export interface Dataset {
  /** datasets/org/name. */
  readonly id: string;
  readonly commit: string;
  readonly files: readonly DatasetFile[];
}

interface Found extends DatasetId {
  readonly endpoint: string;
  readonly repository: string;
  readonly fetch: typeof fetch;
  readonly tree: RemoteTree;
  readonly options: HubOptions;
}

/** The files as the cache has recorded them. @throws ByteifyError if it has not */
async function cachedTree(repository: string, { id, revision }: DatasetId, why: string): Promise<RemoteTree> {
  const commit = await cachedCommit(repository, revision);
  const files = commit === null ? null : await readTree(repository, commit);
  if (commit === null || files === null)
    throw new ByteifyError(`${why}, and ${id}${revision === 'main' ? '' : `@${revision}`} is not in the cache.`, {
      hint: 'Download it once with a connection, or point HF_HOME at the cache that has it.',
    });
  const entries = [...files].map(([path, { size, blob_id, lfs_sha256 = null }]) => ({
    ...{ path, sizeBytes: size, oid: blob_id, sha256: lfs_sha256, xetHash: null },
  }));
  return { name: id, commit, files: entries };
}

/** How long the download of another process may stand still until it counts as dead, and how often it is looked at. */
const STALLED_MS = 300_000;
const POLL_MS = 500;

/** Locks one file of a repository. Parts of the same data may want it at once: one downloads it, and the others wait. */
async function lockFile(
  { sha256, oid }: RemoteFile,
  repository: string,
  signal?: AbortSignal,
): Promise<() => Promise<void>> {
  const name = sha256 ?? oid;
  const folder = join(repository, '.byteify-locks', name);
  await mkdir(folder, { recursive: true });
  const downloaded = () => sizeOnDisk(partPath(join(repository, 'blobs', name)));
  let size = await downloaded();
  for (let movedAt = Date.now(); ; ) {
    try {
      return await lockFolder(folder);
    } catch (error) {
      if (!(error instanceof ByteifyError) || Date.now() - movedAt > STALLED_MS) throw error;
    }
    await setTimeout(POLL_MS, undefined, signal && { signal });
    const now = await downloaded();
    if (now !== size) [size, movedAt] = [now, Date.now()];
  }
}

async function fetchFile({ tree, repository, options, ...target }: Found, file: RemoteFile): Promise<string> {
  const { commit } = tree;
  const snapshot = join(repository, 'snapshots', commit);
  const path = join(snapshot, file.path);
  if ((await snapshotFault(snapshot, [file])) === null) return path;
  await mkdir(repository, { recursive: true });
  const unlock = await lockFile(file, repository, options.signal);
  try {
    if ((await snapshotFault(snapshot, [file])) === null) return path;
    await tagCache(dirname(repository));
    const { signal, sleep } = options;
    const download = { ...target, repository, commit, ...(signal && { signal }), ...(sleep && { sleep }) };
    await downloadFiles(download, [file]);
  } finally {
    await unlock();
  }
  return path;
}

async function findDataset(dataset: DatasetId, options: HubOptions): Promise<Found> {
  const { tree, cached, ...target } = await listOrCached(dataset, options, (repository, why) =>
    cachedTree(repository, dataset, why),
  );
  const found = { ...dataset, ...target, options };
  if (tree === null) return { ...found, tree: cached! };
  const { repository } = target;
  await writeTree(repository, tree.commit, treeEntries(tree));
  await writeRef(repository, dataset.revision, tree.commit);
  return { ...found, tree };
}

/**
 * Lists the files of a dataset; nothing is downloaded yet.
 * @param dataset datasets/org/name[@revision][/path], whose path is ignored here
 * @throws UsageError if it is not an id; ByteifyError if the hub refuses, or if there is neither a connection nor a cached dataset
 */
export async function openDataset(dataset: string, options: HubOptions = {}): Promise<Dataset> {
  const found = await findDataset(parseDatasetId(dataset), options);
  return {
    id: found.id,
    commit: found.tree.commit,
    files: found.tree.files.map((file) => ({
      ...{ path: file.path, sizeBytes: file.sizeBytes, digest: file.sha256 ?? file.oid },
      fetch: () => fetchFile(found, file),
    })),
  };
}
