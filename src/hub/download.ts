/** @module Brings a model from the hub into the cache: only what a conversion needs, every byte verified. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ByteifyError, messageOf } from '../errors.js';
import { sweepTemporary } from '../fs/atomic.js';
import { diskError } from '../fs/index.js';
import { lockFolder } from '../fs/lock.js';
import { INDEX_FILE } from '../safetensors/index.js';
import { systemCode } from '../system-errors.js';
import { bringFiles, type DownloadProgress } from './bring-files.js';
import { tagCache, writeRef, writeTree } from './cache.js';
import { isSmallFile, refuseWithoutWeights, weightFiles } from './files.js';
import { findModel, type HubOptions } from './find-model.js';
import { type RemoteFile, type RemoteTree, treeEntry } from './list-remote.js';
import { snapshotFault } from './snapshot.js';

export interface DownloadOptions extends HubOptions {
  /** Called while weights come, not for the small files before them; first with what earlier processes brought. */
  readonly onProgress?: (event: DownloadProgress) => void;
  /** A connection on which next to nothing comes for so long counts as broken (default 60 s). */
  readonly stallMs?: number;
  /** Called when all but the weights is there, with the names of their files: it may refuse the model. */
  readonly onConfig?: (folder: string, weights: readonly string[]) => Promise<void>;
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

/** What the system answers where this user may not write. */
const READ_ONLY: readonly (string | null)[] = ['EACCES', 'EPERM', 'EROFS'];

/** The code of an error of the system, or of the one that a sentence was made of. */
const codeOf = (error: unknown) => systemCode(error) ?? systemCode((error as Error).cause);

/** Two processes on one part would spoil it. @param fault what the cache lacks, for a user who may not write there. */
async function lockDownload({ repository, id }: Job, fault: string): Promise<() => Promise<void>> {
  const lock = async () => {
    await mkdir(repository, { recursive: true });
    return lockFolder(repository);
  };
  return lock().catch((cause: unknown) => {
    if (READ_ONLY.includes(codeOf(cause))) {
      throw new ByteifyError(
        `${id} is not whole in the cache, which this user may not write to: in ${repository}, ${fault}.`,
        {
          hint: 'Set HF_HOME to a folder that can be written to, or let a user who may write to the cache download the model.',
          cause,
        },
      );
    }
    if (codeOf(cause) !== null || !(cause instanceof ByteifyError)) throw cause;
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

/** What a conversion needs of the repository, but its weights. */
const smallFiles = ({ remote }: Job): RemoteFile[] => remote.files.filter(({ path }) => isSmallFile(path));

/** The weights. The index of shards, where there is one, must be in the snapshot. */
async function weightsOf({ id, remote, paths }: Job, folder: string): Promise<RemoteFile[]> {
  const index = paths.includes(INDEX_FILE) ? await readFile(join(folder, INDEX_FILE), 'utf8') : null;
  const names = weightFiles(id, paths, index);
  return remote.files.filter(({ path }) => names.includes(path));
}

const pathsOf = (files: readonly RemoteFile[]) => files.map(({ path }) => path);

/** The model as it lies in the cache, or what it lacks there. */
async function findWhole(job: Job): Promise<Downloaded | { readonly fault: string }> {
  const { commit } = job.remote;
  const folder = join(job.repository, 'snapshots', commit);
  const small = smallFiles(job);
  const fault = await snapshotFault(folder, small);
  if (fault !== null) return { fault };
  const weights = await weightsOf(job, folder);
  const lack = await snapshotFault(folder, weights);
  if (lack !== null) return { fault: lack };
  return { folder, commit, files: pathsOf([...small, ...weights]) };
}

/** What the cache knows of the repository, for other readers; where this user may not write, it stays as it is. */
async function recordWhole({ repository, revision, remote }: Job): Promise<void> {
  const record = async () => {
    await writeTree(repository, remote.commit, entriesOf(remote));
    await writeRef(repository, revision, remote.commit);
  };
  await record().catch((error: unknown) => {
    if (!READ_ONLY.includes(codeOf(error))) throw error;
  });
}

const entriesOf = ({ files }: RemoteTree) => new Map(files.map((file) => [file.path, treeEntry(file)] as const));

/** A model that is whole in the cache is taken as it lies there: without the lock, which a cache that may only be read cannot hold. */
async function bringAll(job: Job): Promise<Downloaded> {
  const found = await findWhole(job);
  if (!('fault' in found)) {
    await job.onConfig?.(
      found.folder,
      found.files.filter((path) => !isSmallFile(path)),
    );
    await recordWhole(job);
    return found;
  }
  const unlock = await lockDownload(job, found.fault);
  try {
    await sweepTemporary(job.repository, { signal: job.signal });
    await tagCache(dirname(job.repository));
    return await bringLocked(job);
  } finally {
    await unlock();
  }
}

/** Tree, small files, weights, and the ref last: it says that all is there. */
async function bringLocked(job: Job): Promise<Downloaded> {
  const { repository, remote, onProgress, ...options } = job;
  const { commit } = remote;
  const folder = join(repository, 'snapshots', commit);
  await writeTree(repository, commit, entriesOf(remote));
  const small = smallFiles(job);
  await bringFiles({ ...options, repository, commit }, small);
  const weights = await weightsOf(job, folder);
  await job.onConfig?.(folder, pathsOf(weights));
  await bringFiles({ ...options, repository, commit, ...(onProgress && { onProgress }) }, weights);
  await writeRef(repository, job.revision, commit);
  return { folder, commit, files: [...small, ...weights].map(({ path }) => path) };
}
