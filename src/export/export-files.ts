/** @module The files of an export, which publishing always sends. */
import { basename } from 'node:path';
import { licenceFileKind, PROVENANCE_NAME, RECIPE_NAME } from '../release/index.js';
import { INDEX_FILE } from '../safetensors/index.js';
import { CHAT_TEMPLATE_NAME } from '../tokenizer/index.js';

/** The files other than the weights and the licence files of the source. */
const NAMES: readonly string[] = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'README.md',
  INDEX_FILE,
  CHAT_TEMPLATE_NAME,
  PROVENANCE_NAME,
  RECIPE_NAME,
];

/**
 * Recognises the files of an export.
 * @param weightFiles paths of the checkpoint's weight files.
 * @returns a predicate for paths relative to the folder, with forward slashes.
 */
export function exportFiles(weightFiles: readonly string[]): (path: string) => boolean {
  const names = new Set([...NAMES, ...weightFiles.map((file) => basename(file))]);
  return (path) => names.has(path) || licenceFileKind(path) !== null;
}
