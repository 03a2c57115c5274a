/** @module What can be told about a model from its small files, before its weights are brought or read. */
import { join } from 'node:path';
import { type LlamaConfig, parseLlamaConfig, readConfigJson } from '../llama/index.js';
import { loadTokenizer } from '../tokenizer/index.js';

/**
 * @param folder of a transformers model; its weights may be missing.
 * @throws ByteifyError when the architecture cannot be converted, or config.json or the tokenizer is missing or broken.
 */
export async function checkPapers(folder: string): Promise<LlamaConfig> {
  const config = parseLlamaConfig(await readConfigJson(folder), join(folder, 'config.json'));
  await loadTokenizer(folder);
  return config;
}
