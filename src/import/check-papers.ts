/** @module What can be told about a model from its small files, before its weights are brought or read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { type LlamaConfig, parseLlamaConfig } from '../llama/index.js';
import { loadTokenizer } from '../tokenizer/index.js';

/**
 * @param folder of a transformers model; its weights may be missing.
 * @throws ByteifyError when the architecture cannot be converted, or config.json or the tokenizer is missing or broken.
 */
export async function checkPapers(folder: string): Promise<LlamaConfig> {
  const path = join(folder, 'config.json');
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new ByteifyError(`${folder} holds no config.json.`, {
      hint: 'Give a model that transformers can load, or a .gguf file.',
      cause,
    });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ByteifyError(`${path} is not JSON.`, { hint: 'Download the model again.', cause });
  }
  const config = parseLlamaConfig(json, path);
  await loadTokenizer(folder);
  return config;
}
