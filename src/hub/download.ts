/** @module Brings a model from the hub into the cache: only what a conversion needs, every byte verified. */
import { existsSync } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { ByteifyError, messageOf } from '../errors.js';
import {
  cachedCommit,
  linkSnapshot,
  repositoryFolder,
  snapshotFiles,
  type TreeEntry,
  writeRef,
  writeTree,
} from './cache.js';
import { type HubEnvironment, hubEnvironment } from './environment.js';
import { isWanted } from './files.js';
import { hubError } from './hub-errors.js';
import { parseModelId } from './model-id.js';
import { retryingFetch } from './retry.js';
import { transferFile } from './transfer.js';

export interface DownloadOptions {
  readonly onProgress?: (event: { path: string; doneBytes: number; totalBytes: number }) => void;
  readonly signal?: AbortSignal;
  readonly environment?: HubEnvironment;
  readonly fetch?: typeof fetch;
  readonly sleep?: (ms: number) => Promise<void>;
  /** Called when config.json is there and before anything large is brought: it may refuse the model. */
  readonly onConfig?: (folder: string) => Promise<void>;
}

export interface Downloaded {
  /** The snapshot's folder in the cache. */
  readonly folder: string;
  readonly commit: string;
  /** Paths in the repository. */
  readonly files: readonly string[];
}

interface RemoteFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly oid: string;
  readonly sha256: string | null;
}

/** The cache is what there is when the hub must not or cannot be reached. */
async function fromCache(repository: string, id: string, revision: string, why: string): Promise<Downloaded> {
  const commit = await cachedCommit(repository, revision);
  const files = commit === null ? [] : await snapshotFiles(repository, commit);
  if (commit === null || !files.includes('config.json') || !files.some((file) => file.endsWith('.safetensors'))) {
    throw new ByteifyError(`${why}, and ${id} is not whole in the cache.`, {
      hint: 'Download it once with a connection, or point HF_HOME at the cache that has it.',
    });
  }
  return { folder: join(repository, 'snapshots', commit), commit, files };
}

async function refuseFullDisk(cacheDir: string, needed: number): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const { bavail, bsize } = await statfs(cacheDir);
  if (bavail * bsize < needed) {
    throw new ByteifyError(
      `The download takes ${(needed / 1e9).toFixed(1)} GB and ${cacheDir} has ${((bavail * bsize) / 1e9).toFixed(1)} GB free.`,
      {
        hint: 'Free some space, or set HF_HOME to a larger disk.',
      },
    );
  }
}

function blobName({ oid, sha256 }: RemoteFile): string {
  return sha256 ?? oid;
}

function treeEntry({ sizeBytes, oid, sha256 }: RemoteFile): TreeEntry {
  return { size: sizeBytes, blob_id: oid, ...(sha256 !== null && { lfs_sha256: sha256, lfs_size: sizeBytes }) };
}

/** What the hub says the repository holds. @throws ByteifyError for a refusal; anything else means that it was not reached. */
async function listRemote(id: string, revision: string, environment: HubEnvironment, fetch: typeof globalThis.fetch) {
  const { endpoint: hubUrl, token } = environment;
  const common = { hubUrl, fetch, ...(token !== null && { accessToken: token }) };
  try {
    const { sha } = await modelInfo({ name: id, revision, additionalFields: ['sha'], ...common });
    const files: RemoteFile[] = [];
    for await (const entry of listFiles({ repo: id, revision: sha, recursive: true, ...common })) {
      if (entry.type !== 'file') continue;
      files.push({ path: entry.path, sizeBytes: entry.size, oid: entry.oid ?? '', sha256: entry.lfs?.oid ?? null });
    }
    return { commit: sha, files };
  } catch (error) {
    if (error instanceof HubApiError)
      throw hubError({ status: error.statusCode, code: errorCode(error) }, id, revision, hubUrl);
    throw error;
  }
}

/** The library drops the X-Error-Code header; its message tells as much. */
function errorCode({ statusCode, message }: HubApiError): string | null {
  if (/gated|access to model .* is restricted/i.test(message)) return 'GatedRepo';
  if (statusCode === 404 && /revision/i.test(message)) return 'RevisionNotFound';
  return null;
}

/**
 * @param model org/name, with an optional @revision.
 * @returns a snapshot in the cache that Python's huggingface_hub reads as its own.
 * @throws ByteifyError for refusals, a full disk, wrong bytes, a repository without safetensors, and no connection without a cache.
 */
export async function downloadModel(model: string, options: DownloadOptions = {}): Promise<Downloaded> {
  const { onProgress, signal, onConfig } = options;
  const { id, revision } = parseModelId(model);
  const environment = options.environment ?? hubEnvironment();
  const { endpoint, cacheDir, token, offline } = environment;
  const repository = repositoryFolder(cacheDir, id);
  if (offline) return fromCache(repository, id, revision, 'The hub must not be used (HF_HUB_OFFLINE)');
  const fetch = retryingFetch({
    ...(options.fetch && { fetch: options.fetch }),
    ...(options.sleep && { sleep: options.sleep }),
  });
  let remote: Awaited<ReturnType<typeof listRemote>>;
  try {
    remote = await listRemote(id, revision, environment, fetch);
  } catch (error) {
    if (error instanceof ByteifyError || signal?.aborted) throw error;
    return fromCache(repository, id, revision, `The hub at ${endpoint} cannot be reached (${messageOf(error)})`);
  }
  const { commit } = remote;
  const wanted = remote.files.filter(({ path }) => isWanted(path));
  if (!wanted.some(({ path }) => path.endsWith('.safetensors'))) {
    throw new ByteifyError(`${id} has no safetensors weights.`, {
      hint: 'Look for a conversion of it, or a GGUF file.',
    });
  }
  const missing = wanted.filter((file) => !existsSync(join(repository, 'blobs', blobName(file))));
  await refuseFullDisk(
    cacheDir,
    missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  await writeTree(repository, commit, Object.fromEntries(remote.files.map((file) => [file.path, treeEntry(file)])));

  const folder = join(repository, 'snapshots', commit);
  const totalBytes = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  const bring = async (file: RemoteFile) => {
    await transferFile({
      url: `${endpoint}/${id}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      blob: join(repository, 'blobs', blobName(file)),
      sizeBytes: file.sizeBytes,
      digest: file.sha256 === null ? { kind: 'git-sha1', hex: file.oid } : { kind: 'sha256', hex: file.sha256 },
      fetch,
      ...(options.sleep && { sleep: options.sleep }),
      ...(signal && { signal }),
      onBytes: (bytes) => onProgress?.({ path: file.path, doneBytes: doneBytes + bytes, totalBytes }),
      refuse: (response) =>
        hubError({ status: response.status, code: response.headers.get('x-error-code') }, id, revision, endpoint),
    });
    await linkSnapshot(repository, commit, file.path, blobName(file));
    doneBytes += file.sizeBytes;
  };
  const small = wanted.filter(({ path }) => !path.endsWith('.safetensors'));
  for (const file of small) await bring(file);
  await onConfig?.(folder);
  for (const file of wanted) if (!small.includes(file)) await bring(file);
  await writeRef(repository, revision, commit);
  return { folder, commit, files: wanted.map(({ path }) => path) };
}
