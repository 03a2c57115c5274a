/** @module Checks the index of a source's shards before the shards are downloaded. */
import { join } from 'node:path';
import { INDEX_FILE, readIndex } from '../safetensors/index.js';
import { checkNames } from './check-tensors.js';
import type { LlamaConfig } from './config.js';
import { modelName, storedNames } from './tensor-names.js';
import { withTiedEmbedding } from './tied-head.js';

/**
 * Checks the tensor names in an index against a config.
 * @param folder contains the index; the shards may be missing.
 * @throws ByteifyError when the index is invalid, lacks a tensor, or names tensors that a model of this config does not have.
 */
export async function checkIndex(folder: string, config: LlamaConfig): Promise<void> {
  const where = join(folder, INDEX_FILE);
  const stored = await readIndex(where);
  const names = withTiedEmbedding(storedNames(stored.keys(), modelName(config), where), config);
  checkNames({ config, names: [...names.keys()], accounted: [], where });
}
