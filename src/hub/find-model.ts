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

/** How a repository is read. */
interface RemoteTarget {
  readonly endpoint: string;
  /** The repository's folder in the cache. */
  readonly repository: string;
  readonly fetch: typeof fetch;
}

/**
 * Lists a repository's files, or takes what the cache has if byteify is offline or the hub does not answer.
 * @param cached finds it in the cache, or throws an error that begins with `why`
 * @throws ByteifyError if the hub refuses; what `cached` throws
 */
export async function listOrCached<Cached>(
  wanted: Pick<ModelId, 'id' | 'revision'>,
  options: HubOptions,
  cached: (repository: string, why: string) => Promise<Cached>,
): Promise<RemoteTarget & { readonly tree: RemoteTree | null; readonly cached: Cached | null }> {
  const { signal } = options;
  const environment = options.environment ?? hubEnvironment();
  const { endpoint, cacheDir, offline } = environment;
  const repository = repositoryFolder(cacheDir, wanted.id);
  const target = { endpoint, repository, fetch: hubFetch(environment, options) };
  const instead = async (why: string) => ({ ...target, tree: null, cached: await cached(repository, why) });
  if (offline) return instead('Offline mode is on (HF_HUB_OFFLINE)');
  const bufferedFetch = hubFetch(environment, { ...options, bufferResponses: true });
  try {
    const tree = await listRemote(wanted, { endpoint, fetch: bufferedFetch, ...(signal && { signal }) });
    return { ...target, tree, cached: null };
  } catch (error) {
    if (error instanceof ByteifyError || signal?.aborted) throw error;
    const cause = (error as Error).cause ?? error;
    return instead(`The hub at ${endpoint} cannot be reached (${messageOf(cause)})`);
  }
}

export interface RemoteFound extends ModelId, RemoteTarget {
  readonly tree: RemoteTree;
}

/**
 * @param model org/name, with an optional @revision.
 * @returns the files that the hub lists, or the cached model if byteify is offline or the hub does not answer.
 * @throws UsageError if `model` is not an id; ByteifyError if the hub refuses, or if there is neither a connection nor a cached model.
 */
export async function findModel(model: string, options: HubOptions): Promise<RemoteFound | CachedModel> {
  const parsed = parseModelId(model);
  const { tree, cached, ...target } = await listOrCached(parsed, options, (repository, why) =>
    cachedModel(repository, parsed, why),
  );
  return tree === null ? cached! : { ...parsed, ...target, tree };
}
