/** @module Brings a model from the hub into the cache: only what a conversion needs, every byte verified. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ByteifyError, messageOf } from '../errors.js';
import { sweepTemporary } from '../fs/atomic.js';
import { diskError } from '../fs/index.js';
import { lockFolder } from '../fs/lock.js';
import { INDEX_FILE } from '../safetensors/index.js';
import { bringFiles, type DownloadProgress } from './bring-files.js';
import { tagCache, writeRef, writeTree } from './cache.js';
import { isSmallFile, refuseWithoutWeights, weightFiles } from './files.js';
import { findModel, type HubOptions } from './find-model.js';
import { type RemoteTree, treeEntry } from './list-remote.js';

export interface DownloadOptions extends HubOptions {
  /** Called while weights come, not for the small files before them; first with what earlier processes brought. */
  readonly onProgress?: (event: DownloadProgress) => void;
  /** A connection on which next to nothing comes for so long counts as broken (default 60 s). */
  readonly stallMs?: number;
  /** Called when all but the weights is there: it may refuse the model. */
  readonly onConfig?: (folder: string) => Promise<void>;
  /** Called when the repository has another name now. */
  readonly onRenamed?: (name: string) => void;
}

export interface Downloaded {
  /** The snapshot's folder in the cache. */
  readonly folder: string;
  readonly commit: string;
  /** Paths in the repository. */
  readonly files: readonly string[];
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
  if (remote.name !== found.id) options.onRenamed?.(remote.name);
  try {
    return await bringAll({ ...options, ...place, remote, paths });
  } catch (cause) {
    // What is not a blob: the tree, links, the ref.
    throw (cause as NodeJS.ErrnoException).syscall === undefined ? cause : diskError(cause, found.repository);
  }
}

interface Job extends Omit<DownloadOptions, 'environment' | 'fetch'> {
  readonly id: string;
  readonly revision: string;
  readonly endpoint: string;
  readonly repository: string;
  readonly remote: RemoteTree;
  readonly paths: readonly string[];
  readonly fetch: typeof fetch;
}

async function bringAll(job: Job): Promise<Downloaded> {
  const unlock = await lockDownload(job.repository, job.id);
  try {
    await sweepTemporary(job.repository, { signal: job.signal });
    await tagCache(dirname(job.repository));
    return await bringLocked(job);
  } finally {
    await unlock();
  }
}

/** Tree, small files, weights, and the ref last: it says that all is there. */
async function bringLocked({ remote, paths, onProgress, ...job }: Job): Promise<Downloaded> {
  const { id, repository } = job;
  const { commit, files } = remote;
  const folder = join(repository, 'snapshots', commit);
  await writeTree(repository, commit, new Map(files.map((file) => [file.path, treeEntry(file)])));
  const small = files.filter(({ path }) => isSmallFile(path));
  await bringFiles({ ...job, commit }, small);
  await job.onConfig?.(folder);
  const index = paths.includes(INDEX_FILE) ? await readFile(join(folder, INDEX_FILE), 'utf8') : null;
  const names = weightFiles(id, paths, index);
  const weights = files.filter(({ path }) => names.includes(path));
  await bringFiles({ ...job, commit, ...(onProgress && { onProgress }) }, weights);
  await writeRef(repository, job.revision, commit);
  return { folder, commit, files: [...small, ...weights].map(({ path }) => path) };
}
