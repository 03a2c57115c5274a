/** @module The files that an export is made of: what a publish may send without being asked to. */
import { basename } from 'node:path';
import { licenceFileKind, PROVENANCE_NAME, RECIPE_NAME } from '../release/index.js';
import { INDEX_FILE } from '../safetensors/index.js';
import { CHAT_TEMPLATE_NAME } from '../tokenizer/index.js';

/** Beside the weights and the texts of the source's licence. */
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
 * Tells whether a path is a part of an export.
 * @param weightFiles paths of the checkpoint's weight files
 * @returns a question of a path relative to the folder, with forward slashes
 */
export function exportFiles(weightFiles: readonly string[]): (path: string) => boolean {
  const names = new Set([...NAMES, ...weightFiles.map((file) => basename(file))]);
  return (path) => names.has(path) || licenceFileKind(path) !== null;
}
