/** @module Where a model can be had: in the hub, or in the cache when the hub must not or cannot be asked. */
import { ByteifyError, messageOf } from '../errors.js';
import { repositoryFolder } from './cache.js';
import { type HubEnvironment, hubEnvironment } from './environment.js';
import { hubFetch } from './hub-fetch.js';
import { listRemote, type RemoteTree } from './list-remote.js';
import { type ModelId, parseModelId } from './model-id.js';
import { type CachedModel, cachedModel } from './offline.js';
import type { Sleep } from './retry.js';

/** How the hub is asked. */
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
 * @returns the files that the hub lists; the model in the cache when the hub must not be used or does not answer.
 * @throws UsageError for what is no id; ByteifyError for refusals, and no connection without a cache.
 */
export async function findModel(model: string, options: HubOptions): Promise<RemoteFound | CachedModel> {
  const { signal } = options;
  const parsed = parseModelId(model);
  const environment = options.environment ?? hubEnvironment();
  const { endpoint, cacheDir, offline } = environment;
  const repository = repositoryFolder(cacheDir, parsed.id);
  if (offline) return cachedModel(repository, parsed, 'The hub must not be used (HF_HUB_OFFLINE)');
  const fetch = hubFetch(environment, options);
  const asking = hubFetch(environment, { ...options, wholeAnswers: true });
  try {
    const tree = await listRemote(parsed, { endpoint, fetch: asking, ...(signal && { signal }) });
    return { ...parsed, endpoint, repository, fetch, tree };
  } catch (error) {
    if (error instanceof ByteifyError || signal?.aborted) throw error;
    const cause = (error as Error).cause ?? error;
    return cachedModel(repository, parsed, `The hub at ${endpoint} cannot be reached (${messageOf(cause)})`);
  }
}
