/** @module Finds a model on the hub, or in the cache if the hub must not be contacted or cannot be reached. */
import { ByteifyError, messageOf } from '../errors.js';
import type { Sleep } from '../net/index.js';
import { repositoryFolder } from './cache.js';
import { type HubEnvironment, hubEnvironment } from './environment.js';
import { hubFetch } from './hub-fetch.js';
import { listRemote, type RemoteTree } from './list-remote.js';
import { type ModelId, parseModelId } from './model-id.js';
import { type CachedModel, cachedModel } from './offline.js';

/** How to reach the hub. */
export interface HubOptions {
  readonly signal?: AbortSignal;
  readonly environment?: HubEnvironment;
  readonly fetch?: typeof fetch;
  readonly sleep?: Sleep;
}

export interface RemoteFound extends ModelId {
  readonly endpoint: string;
  /** The repository's folder in the cache. */
  readonly repository: string;
  readonly fetch: typeof fetch;
  readonly tree: RemoteTree;
}

/**
 * @param model org/name, with an optional @revision.
 * @returns the files that the hub lists, or the cached model if byteify is offline or the hub does not answer.
 * @throws UsageError if `model` is not an id; ByteifyError if the hub refuses, or if there is neither a connection nor a cached model.
 */
export async function findModel(model: string, options: HubOptions): Promise<RemoteFound | CachedModel> {
  const { signal } = options;
  const parsed = parseModelId(model);
  const environment = options.environment ?? hubEnvironment();
  const { endpoint, cacheDir, offline } = environment;
  const repository = repositoryFolder(cacheDir, parsed.id);
  if (offline) return cachedModel(repository, parsed, 'Offline mode is on (HF_HUB_OFFLINE)');
  const fetch = hubFetch(environment, options);
  const bufferedFetch = hubFetch(environment, { ...options, bufferResponses: true });
  try {
    const tree = await listRemote(parsed, { endpoint, fetch: bufferedFetch, ...(signal && { signal }) });
    return { ...parsed, endpoint, repository, fetch, tree };
  } catch (error) {
    if (error instanceof ByteifyError || signal?.aborted) throw error;
    const cause = (error as Error).cause ?? error;
    return cachedModel(repository, parsed, `The hub at ${endpoint} cannot be reached (${messageOf(cause)})`);
  }
}
