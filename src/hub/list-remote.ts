/** @module Lists the files of a repository on the hub, at one consistent commit. */
import { datasetInfo, HubApiError, listFiles, modelInfo, type RepoDesignation } from '@huggingface/hub';
import { ByteifyError } from '../errors.js';
import type { TreeEntry } from './cache.js';
import { hubError, type Refused, refusedBy } from './hub-errors.js';
import { isDatasetId, type ModelId } from './model-id.js';

export interface RemoteFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** git's sha1 of the file, or of its pointer if the file is in large-file storage. */
  readonly oid: string;
  /** sha256 of the content, for a file in large-file storage. */
  readonly sha256: string | null;
  readonly xetHash: string | null;
}

export interface RemoteTree {
  /** The repository's current name; the hub redirects from earlier names. */
  readonly name: string;
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** The hub is reachable but temporarily unable to answer; a cached model may be used instead. */
export class HubBusyError extends Error {}

const SHA1 = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

const NO_HUB = 'HF_ENDPOINT may not point to a hub.';

/** Rejects malformed digests, since digests become file names. */
function checkedFile(file: RemoteFile, id: string): RemoteFile {
  const { path, sizeBytes, oid, sha256 } = file;
  const sound = SHA1.test(oid) && (sha256 === null || SHA256.test(sha256));
  if (sound && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0) return file;
  throw new ByteifyError(`The hub lists ${path} of ${id} without a valid size and digest.`, {
    hint: NO_HUB,
  });
}

/** A repository's commit and current name. */
async function repositoryInfo(id: string, options: { revision: string; hubUrl: string; fetch: typeof fetch }) {
  if (!isDatasetId(id)) return modelInfo({ name: id, additionalFields: ['sha'], ...options });
  const name = id.slice('datasets/'.length);
  const info = await datasetInfo({ name, additionalFields: ['sha'], ...options });
  return { sha: info.sha, name: `datasets/${info.name}` };
}

/**
 * Lists all files of a repository at the commit that the revision names now.
 * @throws ByteifyError if the hub refuses; HubBusyError or the transport's error if it could not answer.
 */
export async function listRemote(
  { id, revision }: ModelId,
  params: { endpoint: string; fetch: typeof globalThis.fetch; signal?: AbortSignal },
): Promise<RemoteTree> {
  const { endpoint: hubUrl, signal } = params;
  // The client's errors drop the header with the reason.
  let refused: Refused | null = null;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await params.fetch(input, { ...init, ...(signal && { signal }) });
    if (!response.ok) refused = refusedBy(response);
    return response;
  };
  try {
    const { sha, name } = await repositoryInfo(id, { revision, hubUrl, fetch });
    if (!SHA1.test(sha)) throw new ByteifyError(`The hub returned no commit for ${id}@${revision}.`, { hint: NO_HUB });
    const files: RemoteFile[] = [];
    for await (const entry of listFiles({
      repo: id as RepoDesignation,
      revision: sha,
      recursive: true,
      hubUrl,
      fetch,
    })) {
      if (entry.type !== 'file') continue;
      const { path, size: sizeBytes, oid = '', lfs, xetHash = null } = entry;
      files.push(checkedFile({ path, sizeBytes, oid, sha256: lfs?.oid ?? null, xetHash }, id));
    }
    return { name, commit: sha, files };
  } catch (error) {
    if (!(error instanceof HubApiError) || refused === null) throw error;
    const { status, code } = refused as Refused;
    if (status >= 500 || status === 429 || status === 408) throw new HubBusyError(`it answered ${status}`);
    const branches = code === 'RevisionNotFound' ? await branchesOf(id, params) : [];
    throw hubError(refused, id, revision, hubUrl, branches);
  }
}

/** More branches would not help in a hint. */
const MAX_BRANCHES = 5;

/** The names of the first few branches; empty if the hub does not list them. */
async function branchesOf(
  id: string,
  { endpoint, fetch, signal }: { endpoint: string; fetch: typeof globalThis.fetch; signal?: AbortSignal },
): Promise<string[]> {
  try {
    const response = await fetch(`${endpoint}/api/${isDatasetId(id) ? id : `models/${id}`}/refs`, signal && { signal });
    const { branches } = (await response.json()) as { branches: { name: string }[] };
    return branches.slice(0, MAX_BRANCHES).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** A file's entry in the tree record, as Python's client writes it into the cache. */
function treeEntry({ sizeBytes, oid, sha256, xetHash }: RemoteFile): TreeEntry {
  return {
    size: sizeBytes,
    blob_id: oid,
    ...(sha256 !== null && { lfs_sha256: sha256, lfs_size: sizeBytes }),
    // A malformed hash makes Python's client ignore the whole tree.
    ...(xetHash !== null && SHA256.test(xetHash) && { xet_hash: xetHash }),
  };
}

/** What the cache records of a repository's files, by path. */
export const treeEntries = ({ files }: Pick<RemoteTree, 'files'>): Map<string, TreeEntry> =>
  new Map(files.map((file) => [file.path, treeEntry(file)]));
