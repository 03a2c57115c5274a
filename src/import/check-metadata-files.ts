/** @module Checks a model's small files before its weights are downloaded or read. */
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { type LlamaConfig, parseLlamaConfig } from '../llama/index.js';
import {
  checkChatTemplate,
  checkSpecialIds,
  checkTokenizer,
  findTemplate,
  readJson,
  readTokenizerSources,
  type TokenizerFiles,
  templateIn,
} from '../tokenizer/index.js';

/**
 * Checks the config, the tokenizer and the chat template of a folder.
 * @param folder of a transformers model; its weights may be missing.
 * @returns the parsed config.
 * @throws ByteifyError if the architecture cannot be converted, or a small file is missing, invalid, or contradicts another.
 */
export async function checkMetadataFiles(folder: string): Promise<LlamaConfig> {
  const path = join(folder, 'config.json');
  const json = await readJson(folder, 'config.json');
  if (json === null) {
    throw new ByteifyError(`${folder} contains no config.json.`, {
      hint: 'Pass a model that transformers can load, or a .gguf file.',
    });
  }
  const config = parseLlamaConfig(json, path);
  checkSpecialIds(json, config, path);
  const generation = await readJson(folder, 'generation_config.json');
  if (generation !== null) checkSpecialIds(generation, config, join(folder, 'generation_config.json'));
  await readJson(folder, 'special_tokens_map.json');
  checkTokenizer(await readTokenizerSources(folder), config, {
    tokenizer: join(folder, 'tokenizer.json'),
    config: join(folder, 'tokenizer_config.json'),
  });
  const template = await findTemplate(folder);
  if (template !== null) await checkChatTemplate(template);
  return config;
}

/**
 * Makes the same checks for a GGUF file, whose metadata were converted to such files.
 * @param path of the GGUF file.
 * @throws ByteifyError if its metadata are invalid or contradict each other.
 */
export async function checkGgufMetadata(
  path: string,
  { tokenizerJson, tokenizerConfig }: TokenizerFiles,
  config: LlamaConfig,
  configJson: Readonly<Record<string, unknown>>,
): Promise<void> {
  checkSpecialIds(configJson, config, path);
  const sources = {
    tokenizerJson: { ...tokenizerJson },
    tokenizerConfig: { ...tokenizerConfig } as Readonly<Record<string, unknown>>,
    modelConfig: configJson,
  };
  checkTokenizer(sources, config, { tokenizer: path, config: path });
  const template = templateIn(sources.tokenizerConfig);
  if (template !== null) await checkChatTemplate({ template, path });
}
