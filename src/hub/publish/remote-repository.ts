/** @module Reads the current state of a repository on the hub. */
import { modelInfo } from '@huggingface/hub';
import { ByteifyError } from '../../errors.js';
import { listRemote, type RemoteFile, type RemoteTree } from '../list-remote.js';
import { resolveUrl } from '../resolve-url.js';
import { MAX_PROVENANCE_BYTES, type Origin, PROVENANCE_NAME, parseOrigin } from './origin.js';
import { publishError } from './publish-errors.js';
import { callHub, type HubClient, unreachableHub } from './refusals.js';

export interface RemoteRepository {
  readonly commit: string;
  readonly private: boolean;
  readonly files: readonly RemoteFile[];
  readonly origin: Origin | null;
}

/** The branch for publishing, which is also the default of downloads. */
export const BRANCH = 'main';

async function readOrigin(
  client: HubClient,
  id: string,
  commit: string,
  files: readonly RemoteFile[],
): Promise<Origin | null> {
  const file = files.find(({ path }) => path === PROVENANCE_NAME);
  if (file === undefined || file.sizeBytes > MAX_PROVENANCE_BYTES) return null;
  try {
    const response = await client.fetch(resolveUrl({ endpoint: client.endpoint, id, commit }, PROVENANCE_NAME), {
      ...(client.signal && { signal: client.signal }),
    });
    // An unreadable provenance proves nothing.
    return response.ok ? parseOrigin(await response.text()) : null;
  } catch (error) {
    throw unreachableHub(client, error);
  }
}

/**
 * Lists the files at a commit or a branch.
 * @throws ByteifyError if the hub refuses or cannot be reached; the signal's reason.
 */
export async function remoteTree(client: HubClient, id: string, revision: string): Promise<RemoteTree> {
  const { endpoint, fetch, signal } = client;
  try {
    return await listRemote({ id, revision }, { endpoint, fetch, ...(signal && { signal }) });
  } catch (error) {
    throw unreachableHub(client, error);
  }
}

/**
 * Reads a repository: its latest commit, files and origin.
 * @returns null if there is no repository that this account can see.
 * @throws ByteifyError if the hub refuses, or if the repository was renamed.
 */
export async function lookUp(client: HubClient, id: string): Promise<RemoteRepository | null> {
  const info = await callHub(
    client,
    async ({ endpoint: hubUrl, fetch }) =>
      modelInfo({ name: id, revision: BRANCH, additionalFields: ['sha'], hubUrl, fetch }),
    (refusal) => {
      if (refusal.code === 'RepoNotFound' || refusal.status === 404) return null;
      if (refusal.status === 401 && client.token === null) return null;
      throw publishError(refusal, id, client.endpoint);
    },
  );
  if (info === null) return null;
  if (info.name !== id) {
    throw new ByteifyError(`${id} was renamed to ${info.name}.`, { hint: `Publish to ${info.name}.` });
  }
  const { files } = await remoteTree(client, id, info.sha);
  return { commit: info.sha, private: info.private, files, origin: await readOrigin(client, id, info.sha, files) };
}
