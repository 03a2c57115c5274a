/** @module Downloads a model from the hub into the cache: only the files that a conversion needs, with every byte verified. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ByteifyError, messageOf } from '../errors.js';
import { sweepTemporary } from '../fs/atomic.js';
import { diskError } from '../fs/index.js';
import { lockFolder } from '../fs/lock.js';
import { INDEX_FILE } from '../safetensors/index.js';
import { systemCode } from '../system-errors.js';
import { tagCache, writeRef, writeTree } from './cache.js';
import { type DownloadProgress, downloadFiles } from './download-files.js';
import { isSmallFile, refuseWithoutWeights, weightFiles } from './files.js';
import { findModel, type HubOptions } from './find-model.js';
import { type RemoteFile, type RemoteTree, treeEntries } from './list-remote.js';
import { snapshotFault } from './snapshot.js';

export interface DownloadOptions extends HubOptions {
  /** Called while weights are downloaded, but not for the small files before them; first with the bytes of earlier processes. */
  readonly onProgress?: (event: DownloadProgress) => void;
  /** A connection that delivers almost nothing for this many milliseconds counts as broken (default 60,000). */
  readonly stallMs?: number;
  /** Called before the weights are downloaded, with the snapshot folder and the weight files' names; it can throw to reject the model. */
  readonly onConfig?: (folder: string, weights: readonly string[]) => Promise<void>;
  /** Called with the new name if the repository was renamed. */
  readonly onRenamed?: (name: string) => void;
}

export interface Downloaded {
  /** The snapshot's folder in the cache. */
  readonly folder: string;
  readonly commit: string;
  /** Paths in the repository. */
  readonly files: readonly string[];
}

/** System error codes for a missing permission to write. */
const READ_ONLY: readonly (string | null)[] = ['EACCES', 'EPERM', 'EROFS'];

/** The code of a system error, or of the system error that caused this one. */
const codeOf = (error: unknown) => systemCode(error) ?? systemCode((error as Error).cause);

/**
 * Locks the repository, since two processes would corrupt a partial file.
 * @param fault what the cache lacks, for the message to a user who may not write there.
 */
async function lockDownload({ repository, id }: Job, fault: string): Promise<() => Promise<void>> {
  const lock = async () => {
    await mkdir(repository, { recursive: true });
    return lockFolder(repository);
  };
  return lock().catch((cause: unknown) => {
    if (READ_ONLY.includes(codeOf(cause))) {
      throw new ByteifyError(
        `${id} is incomplete in the cache, and this user may not write to the cache: in ${repository}, ${fault}.`,
        {
          hint: 'Set HF_HOME to a writable folder, or ask a user with write permission to download the model.',
          cause,
        },
      );
    }
    if (codeOf(cause) !== null || !(cause instanceof ByteifyError)) throw cause;
    throw new ByteifyError(`Another process is downloading ${id}: ${messageOf(cause)}`, {
      hint: 'Wait until it has finished, then run the same command again; it uses the downloaded files.',
      cause,
    });
  });
}

/**
 * @param model org/name, with an optional @revision.
 * @returns a snapshot in the cache, which Python's huggingface_hub can also use.
 * @throws UsageError if `model` is not an id. ByteifyError if the hub refuses, the disk is full, bytes are wrong, the repository has no
 * safetensors, or there is neither a connection nor a cached model. Complete files stay in the cache, and partial ones are resumed.
 *
 * @example
 * const { folder, commit } = await downloadModel('HuggingFaceTB/SmolLM2-135M');
 */
export async function downloadModel(model: string, options: DownloadOptions = {}): Promise<Downloaded> {
  const found = await findModel(model, options);
  if (!('tree' in found)) return found;
  const { tree: remote, ...target } = found;
  const paths = remote.files.map(({ path }) => path);
  refuseWithoutWeights(found.id, paths);
  if (remote.name !== found.id) options.onRenamed?.(remote.name);
  try {
    return await downloadAll({ ...options, ...target, remote, paths });
  } catch (cause) {
    // Errors of files other than blobs: the tree, links, the ref.
    throw (cause as NodeJS.ErrnoException).syscall === undefined
      ? cause
      : diskError(cause, found.repository, 'HF_HOME');
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

/** The files that a conversion needs, except the weights. */
const smallFiles = ({ remote }: Job): RemoteFile[] => remote.files.filter(({ path }) => isSmallFile(path));

/** The weight files. The index of shards, if the repository has one, must already be in the snapshot. */
async function weightsOf({ id, remote, paths }: Job, folder: string): Promise<RemoteFile[]> {
  const index = paths.includes(INDEX_FILE) ? await readFile(join(folder, INDEX_FILE), 'utf8') : null;
  const names = weightFiles(id, paths, index);
  return remote.files.filter(({ path }) => names.includes(path));
}

const pathsOf = (files: readonly RemoteFile[]) => files.map(({ path }) => path);

/** The model in the cache, or what the cache lacks of it. */
async function findComplete(job: Job): Promise<Downloaded | { readonly fault: string }> {
  const { commit } = job.remote;
  const folder = join(job.repository, 'snapshots', commit);
  const small = smallFiles(job);
  const fault = await snapshotFault(folder, small);
  if (fault !== null) return { fault };
  const weights = await weightsOf(job, folder);
  const weightsFault = await snapshotFault(folder, weights);
  if (weightsFault !== null) return { fault: weightsFault };
  return { folder, commit, files: pathsOf([...small, ...weights]) };
}

/** Records the tree and the ref in the cache for other clients; skipped if this user may not write there. */
async function recordComplete({ repository, revision, remote }: Job): Promise<void> {
  const record = async () => {
    await writeTree(repository, remote.commit, treeEntries(remote));
    await writeRef(repository, revision, remote.commit);
  };
  await record().catch((error: unknown) => {
    if (!READ_ONLY.includes(codeOf(error))) throw error;
  });
}

/** A model that is complete in the cache is used without the lock, which a read-only cache cannot hold. */
async function downloadAll(job: Job): Promise<Downloaded> {
  const found = await findComplete(job);
  if (!('fault' in found)) {
    await job.onConfig?.(
      found.folder,
      found.files.filter((path) => !isSmallFile(path)),
    );
    await recordComplete(job);
    return found;
  }
  const unlock = await lockDownload(job, found.fault);
  try {
    await sweepTemporary(job.repository, { signal: job.signal });
    await tagCache(dirname(job.repository));
    return await downloadLocked(job);
  } finally {
    await unlock();
  }
}

/** Downloads the small files and the weights. The ref is written last, since it marks a complete snapshot. */
async function downloadLocked(job: Job): Promise<Downloaded> {
  const { repository, remote, onProgress, ...options } = job;
  const { commit } = remote;
  const folder = join(repository, 'snapshots', commit);
  await writeTree(repository, commit, treeEntries(remote));
  const small = smallFiles(job);
  await downloadFiles({ ...options, repository, commit }, small);
  const weights = await weightsOf(job, folder);
  await job.onConfig?.(folder, pathsOf(weights));
  await downloadFiles({ ...options, repository, commit, ...(onProgress && { onProgress }) }, weights);
  await writeRef(repository, job.revision, commit);
  return { folder, commit, files: [...small, ...weights].map(({ path }) => path) };
}
