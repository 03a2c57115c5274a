/** @module Brings a model from the hub into the cache: only what a conversion needs, every byte verified. */
import { mkdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFolder } from '../conversion/lock.js';
import { ByteifyError, messageOf } from '../errors.js';
import { INDEX_FILE } from '../safetensors/index.js';
import { linkSnapshot, writeRef, writeTree } from './cache.js';
import { isSmallFile, refuseWithoutWeights, weightFiles } from './files.js';
import { findModel, type HubOptions } from './find-model.js';
import { hubError } from './hub-errors.js';
import { type RemoteFile, type RemoteTree, treeEntry } from './list-remote.js';
import { transferFile } from './transfer.js';

export interface DownloadOptions extends HubOptions {
  /** Bytes of the file and of all weights; called while weights come, not for the small files before them. */
  readonly onProgress?: (event: { path: string; doneBytes: number; totalBytes: number }) => void;
  /** A connection on which nothing comes for so long counts as broken (default 60 s). */
  readonly stallMs?: number;
  /** Called when all but the weights is there: it may refuse the model. */
  readonly onConfig?: (folder: string) => Promise<void>;
}

export interface Downloaded {
  /** The snapshot's folder in the cache. */
  readonly folder: string;
  readonly commit: string;
  /** Paths in the repository. */
  readonly files: readonly string[];
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => -1,
  );
}

const blobName = ({ oid, sha256 }: RemoteFile) => sha256 ?? oid;

async function refuseFullDisk(repository: string, files: readonly RemoteFile[]): Promise<void> {
  let needed = 0;
  for (const file of files) {
    const blob = join(repository, 'blobs', blobName(file));
    if ((await sizeOf(blob)) !== file.sizeBytes) {
      needed += Math.max(0, file.sizeBytes - Math.max(0, await sizeOf(`${blob}.incomplete`)));
    }
  }
  if (needed === 0) return;
  const { bavail, bsize } = await statfs(repository);
  if (bavail * bsize >= needed) return;
  const inGigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new ByteifyError(
    `The download takes ${inGigabytes(needed)} and ${repository} has ${inGigabytes(bavail * bsize)} free.`,
    { hint: 'Free some space, or set HF_HOME to a larger disk.' },
  );
}

/** Two processes on one part would spoil it. */
async function lockDownload(repository: string, id: string): Promise<() => Promise<void>> {
  await mkdir(repository, { recursive: true });
  return lockFolder(repository).catch((cause) => {
    if (!(cause instanceof ByteifyError)) throw cause;
    throw new ByteifyError(`Another process is downloading ${id}: ${messageOf(cause)}`, {
      hint: 'Wait until it is done, then run the same command again: it uses what that one brought.',
      cause,
    });
  });
}

/**
 * @param model org/name, with an optional @revision.
 * @returns a snapshot in the cache that Python's huggingface_hub reads as its own.
 * @throws UsageError for what is no id; ByteifyError for refusals, a full disk, wrong bytes, a repository without safetensors, and no
 * connection without a cache. Files that came whole stay in the cache, and a part of one is continued the next time.
 *
 * @example
 * const { folder, commit } = await downloadModel('HuggingFaceTB/SmolLM2-135M');
 */
export async function downloadModel(model: string, options: DownloadOptions = {}): Promise<Downloaded> {
  const found = await findModel(model, options);
  if (!('tree' in found)) return found;
  const { tree: remote, ...place } = found;
  const paths = remote.files.map(({ path }) => path);
  refuseWithoutWeights(found.id, paths);
  const unlock = await lockDownload(found.repository, found.id);
  try {
    return await bringAll({ ...options, ...place, remote, paths });
  } finally {
    await unlock();
  }
}

interface Job extends Omit<DownloadOptions, 'environment'> {
  readonly id: string;
  readonly revision: string;
  readonly endpoint: string;
  readonly repository: string;
  readonly remote: RemoteTree;
  readonly paths: readonly string[];
  readonly fetch: typeof fetch;
}

/** Tree, small files, weights, and the ref last: it says that all is there. */
async function bringAll(job: Job): Promise<Downloaded> {
  const { id, paths, repository, remote, onProgress } = job;
  const { commit, files } = remote;
  const folder = join(repository, 'snapshots', commit);
  await writeTree(repository, commit, new Map(files.map((file) => [file.path, treeEntry(file)])));
  const small = files.filter(({ path }) => isSmallFile(path));
  for (const file of small) await bring(job, file);
  await job.onConfig?.(folder);
  const index = paths.includes(INDEX_FILE) ? await readFile(join(folder, INDEX_FILE), 'utf8') : null;
  const names = weightFiles(id, paths, index);
  const weights = files.filter(({ path }) => names.includes(path));
  await refuseFullDisk(repository, weights);
  const totalBytes = weights.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let before = 0;
  for (const file of weights) {
    await bring(job, file, (bytes) => onProgress?.({ path: file.path, doneBytes: before + bytes, totalBytes }));
    before += file.sizeBytes;
  }
  await writeRef(repository, job.revision, commit);
  return { folder, commit, files: [...small, ...weights].map(({ path }) => path) };
}

async function bring(job: Job, file: RemoteFile, onBytes?: (bytes: number) => void): Promise<void> {
  const { id, revision, endpoint, repository, remote, fetch, sleep, signal, stallMs } = job;
  const blob = join(repository, 'blobs', blobName(file));
  if ((await sizeOf(blob)) !== file.sizeBytes) {
    await rm(blob, { force: true });
    await transferFile({
      url: `${endpoint}/${id}/resolve/${remote.commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`,
      blob,
      sizeBytes: file.sizeBytes,
      digest: file.sha256 === null ? { kind: 'git-sha1', hex: file.oid } : { kind: 'sha256', hex: file.sha256 },
      fetch,
      ...(sleep && { sleep }),
      ...(signal && { signal }),
      ...(stallMs !== undefined && { stallMs }),
      ...(onBytes && { onBytes }),
      refuse: ({ status, headers }) => hubError({ status, code: headers.get('x-error-code') }, id, revision, endpoint),
    });
  }
  await linkSnapshot(repository, remote.commit, file.path, blobName(file));
}
