/** @module Selects the files of a repository that a conversion needs. */
import { ByteifyError } from '../errors.js';
import { parseJson } from '../fs/index.js';
import { INDEX_FILE, SINGLE_FILE } from '../safetensors/index.js';

/** Files that a licence requires to be passed on: its text, its notices and its use policy. */
const LICENCE_FILE = /^(LICEN[CS]E|COPYING|NOTICE|USE_POLICY)([.-][^/\\]*)?$/i;

export function isLicenceFile(name: string): boolean {
  return LICENCE_FILE.test(name);
}

/** Only at the top level: `original/` contains the same weights in another format. */
const SMALL_FILES: readonly RegExp[] = [
  /^config\.json$/,
  /^generation_config\.json$/,
  /^tokenizer(_config)?\.json$/,
  /^special_tokens_map\.json$/,
  /^chat_template\.jinja$/,
  /^model\.safetensors\.index\.json$/,
  LICENCE_FILE,
  /^README\.md$/,
];

/** Whether a path is one of the files that a conversion needs, other than weights: config, tokenizer, index of shards, licence, card. */
export function isSmallFile(path: string): boolean {
  return SMALL_FILES.some((pattern) => pattern.test(path));
}

const PICKLED = /\.(bin|pth|pt|ckpt)$/;

/** Checks the file list of a repository. @throws ByteifyError if it has no weights in safetensors. */
export function refuseWithoutWeights(id: string, paths: readonly string[]): void {
  if (paths.includes(INDEX_FILE) || paths.includes(SINGLE_FILE)) return;
  const pickled = paths.find((path) => PICKLED.test(path));
  if (paths.includes('adapter_config.json')) {
    throw new ByteifyError(`${id} is an adapter (adapter_config.json), not a model.`, {
      hint: 'Merge it into its base model with peft’s merge_and_unload() and pass the resulting folder.',
    });
  }
  const gguf = paths.find((path) => path.toLowerCase().endsWith('.gguf'));
  const other = paths.find((path) => path.endsWith('.safetensors'));
  if (gguf !== undefined) {
    throw new ByteifyError(`${id} contains GGUF files but no ${SINGLE_FILE}.`, {
      hint: `Download one of them (${gguf}) and pass its path, or use the repository of the original model.`,
    });
  }
  if (pickled !== undefined) {
    throw new ByteifyError(`${id} has its weights only in ${pickled}, a format that can run code when it is loaded.`, {
      hint: 'Use a repository or branch with safetensors; for most models the hub has a converted branch such as refs/pr/1.',
    });
  }
  throw new ByteifyError(
    other === undefined ? `${id} has no safetensors weights.` : `${id} has ${other}, but no ${SINGLE_FILE}.`,
    { hint: 'Use the repository of a complete transformers model, not of an adapter or a component.' },
  );
}

const HINT = 'The repository is incomplete; try another revision.';

/**
 * Lists the weight files: the single file if it exists, as src/safetensors/read-checkpoint.ts and transformers' modeling_utils.py prefer it,
 * otherwise those in the index.
 * @param index the text of model.safetensors.index.json, or null if there is none.
 * @throws ByteifyError if the index is not valid or names a file that the repository lacks.
 */
export function weightFiles(id: string, paths: readonly string[], index: string | null): string[] {
  if (paths.includes(SINGLE_FILE)) return [SINGLE_FILE];
  if (index === null) return [];
  const json = parseJson(index, `${INDEX_FILE} of ${id}`, HINT) as { weight_map?: unknown } | null;
  const shards = [...new Set(Object.values(json?.weight_map ?? {}))].map(String).sort();
  if (shards.length === 0) throw new ByteifyError(`${INDEX_FILE} of ${id} names no files.`, { hint: HINT });
  const lost = shards.find((shard) => !paths.includes(shard) || /[/\\]/.test(shard));
  if (lost !== undefined) {
    throw new ByteifyError(`${INDEX_FILE} of ${id} names ${lost}, which the repository lacks.`, {
      hint: HINT,
    });
  }
  return shards;
}
