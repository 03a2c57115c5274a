/** @module Reads the config of a hub model without its weights, by one small request or from the cache. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError, messageOf } from '../errors.js';
import { cachedCommit, repositoryFolder } from '../hub/cache.js';
import { hubEnvironment } from '../hub/environment.js';
import { hubError, refusedBy } from '../hub/hub-errors.js';
import { hubFetch } from '../hub/hub-fetch.js';
import { parseModelId } from '../hub/model-id.js';
import { resolveUrl } from '../hub/resolve-url.js';
import { configPlanSource, type PlanSource } from './plan-source.js';

/**
 * @param model org/name, with an optional @revision
 * @throws UsageError when it is not a hub id; ByteifyError when the hub refuses, or cannot be reached and the cache lacks the model
 */
export async function hubPlanSource(model: string, signal: AbortSignal): Promise<PlanSource> {
  const { id, revision } = parseModelId(model);
  const environment = hubEnvironment();
  const { endpoint, cacheDir, offline } = environment;
  const cached = (why: string) => cachedSource({ repository: repositoryFolder(cacheDir, id), id, revision, why });
  if (offline) return cached('Offline mode is on (HF_HUB_OFFLINE)');
  const fetch = hubFetch(environment, { bufferResponses: true });
  const url = resolveUrl({ endpoint, id, commit: encodeURIComponent(revision) }, 'config.json');
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    return cached(`The hub at ${endpoint} cannot be reached (${messageOf((error as Error).cause ?? error)})`);
  }
  if (!response.ok) throw hubError(refusedBy(response), id, revision, endpoint);
  return configPlanSource(await response.text(), `${id}/config.json`);
}

async function cachedSource(params: {
  repository: string;
  id: string;
  revision: string;
  why: string;
}): Promise<PlanSource> {
  const { repository, id, revision, why } = params;
  const commit = await cachedCommit(repository, revision);
  const path = commit === null ? null : join(repository, 'snapshots', commit, 'config.json');
  const text = path === null ? null : await readFile(path, 'utf8').catch(() => null);
  if (path !== null && text !== null) return configPlanSource(text, path);
  throw new ByteifyError(`${why}, and the config of ${id} is not in the cache.`, {
    hint: 'Name a folder that contains its config.json, or try again with a connection.',
  });
}
