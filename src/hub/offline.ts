/** @module Reads a model from the cache alone, if the hub must not be contacted or cannot be reached. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError, messageOf } from '../errors.js';
import { INDEX_FILE } from '../safetensors/index.js';
import { cachedCommit, snapshotFiles } from './cache.js';
import { isSmallFile, weightFiles } from './files.js';
import type { ModelId } from './model-id.js';

export interface CachedModel {
  readonly folder: string;
  readonly commit: string;
  readonly files: readonly string[];
}

/** What the cache lacks, as the end of a sentence about the model. */
interface Incomplete {
  readonly lacks: string;
}

async function find(repository: string, { id, revision }: ModelId): Promise<CachedModel | Incomplete> {
  const commit = await cachedCommit(repository, revision);
  if (commit === null) return { lacks: 'is not in the cache' };
  const folder = join(repository, 'snapshots', commit);
  const files = await snapshotFiles(repository, commit);
  const index = files.includes(INDEX_FILE) ? await readFile(join(folder, INDEX_FILE), 'utf8') : null;
  let weights: string[];
  try {
    weights = weightFiles(id, files, index);
  } catch (error) {
    return { lacks: `is incomplete in the cache: ${messageOf(error).replace(/\.$/, '')}` };
  }
  const missing = !files.includes('config.json') ? 'config.json' : weights.length === 0 ? 'its weights' : null;
  if (missing !== null) return { lacks: `is incomplete in the cache, which lacks ${missing}` };
  return { folder, commit, files: [...files.filter(isSmallFile), ...weights] };
}

/**
 * Finds a model in the cache.
 * @param why the hub is not used, as the beginning of a sentence.
 * @throws ByteifyError if the model is not complete in the cache.
 */
export async function cachedModel(repository: string, model: ModelId, why: string): Promise<CachedModel> {
  const found = await find(repository, model);
  if (!('lacks' in found)) return found;
  const { id, revision } = model;
  throw new ByteifyError(`${why}, and ${id}${revision === 'main' ? '' : `@${revision}`} ${found.lacks}.`, {
    hint: 'Download it once with a connection, or point HF_HOME at the cache that has it.',
  });
}
