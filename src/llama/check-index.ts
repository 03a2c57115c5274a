/** @module What the index of a source's shards tells before the shards are there. */
import { join } from 'node:path';
import { INDEX_FILE, readIndex } from '../safetensors/index.js';
import { checkNames } from './check-tensors.js';
import type { LlamaConfig } from './config.js';
import { modelName, storedNames } from './tensor-names.js';
import { withTiedEmbedding } from './tied-head.js';

/**
 * @param folder that holds the index; the shards may be missing.
 * @throws ByteifyError when the index is not sound, or names tensors that a model of this config does not have, or too few.
 */
export async function checkIndex(folder: string, config: LlamaConfig): Promise<void> {
  const where = join(folder, INDEX_FILE);
  const stored = await readIndex(where);
  const names = withTiedEmbedding(storedNames(stored.keys(), modelName(config), where), config);
  checkNames({ config, names: [...names.keys()], accounted: [], where });
}
