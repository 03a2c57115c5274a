/** @module Which files of a repository a conversion needs. */
import { ByteifyError } from '../errors.js';
import { INDEX_FILE, SINGLE_FILE } from '../safetensors/index.js';

/** What a licence asks to be passed on: its text, its notices, its rules of use. */
const LICENCE_FILE = /^(LICEN[CS]E|COPYING|NOTICE|USE_POLICY)([.-][^/\\]*)?$/i;

export function isLicenceFile(name: string): boolean {
  return LICENCE_FILE.test(name);
}

/** At the top of the repository only: `original/` holds the same weights in another format. */
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

/** Config, tokenizer, the index of the shards and the licence: all but the weights. */
export function isSmallFile(path: string): boolean {
  return SMALL_FILES.some((pattern) => pattern.test(path));
}

const PICKLED = /\.(bin|pth|pt|ckpt)$/;

/** @throws ByteifyError when there are no weights that can be read. */
export function refuseWithoutWeights(id: string, paths: readonly string[]): void {
  if (paths.includes(INDEX_FILE) || paths.includes(SINGLE_FILE)) return;
  const pickled = paths.find((path) => PICKLED.test(path));
  if (paths.includes('adapter_config.json')) {
    throw new ByteifyError(`${id} is an adapter (adapter_config.json), not a model.`, {
      hint: 'Merge it into its base model with peft’s merge_and_unload() and give the folder of the result.',
    });
  }
  const gguf = paths.find((path) => path.toLowerCase().endsWith('.gguf'));
  const other = paths.find((path) => path.endsWith('.safetensors'));
  if (gguf !== undefined) {
    throw new ByteifyError(`${id} holds GGUF files and no ${SINGLE_FILE}.`, {
      hint: `Download one of them (${gguf}) and give its path, or take the repository that it was made from.`,
    });
  }
  if (pickled !== undefined) {
    throw new ByteifyError(`${id} has its weights in ${pickled} alone, a format that can run code when it is read.`, {
      hint: 'Take a repository with safetensors; the hub has converted most models, on a branch such as refs/pr/1.',
    });
  }
  throw new ByteifyError(
    other === undefined ? `${id} has no safetensors weights.` : `${id} has ${other}, but no ${SINGLE_FILE}.`,
    { hint: 'Take the repository of a whole transformers model, not of an adapter or a part.' },
  );
}

const HINT = 'The repository is incomplete; try another revision.';

/**
 * The weight files: the single one where it is there, as when they are read (src/safetensors/read-checkpoint.ts) and in transformers
 * (modeling_utils.py looks for it first); else those of the index.
 * @param index the text of model.safetensors.index.json, or null when there is none.
 * @throws ByteifyError when the index names a file that the repository lacks.
 */
export function weightFiles(id: string, paths: readonly string[], index: string | null): string[] {
  if (paths.includes(SINGLE_FILE)) return [SINGLE_FILE];
  if (index === null) return [];
  let map: unknown;
  try {
    map = (JSON.parse(index) as { weight_map?: unknown } | null)?.weight_map;
  } catch (cause) {
    throw new ByteifyError(`${INDEX_FILE} of ${id} is not JSON.`, { hint: HINT, cause });
  }
  const shards = [...new Set(Object.values(map ?? {}))].map(String).sort();
  if (shards.length === 0) throw new ByteifyError(`${INDEX_FILE} of ${id} names no files.`, { hint: HINT });
  const lost = shards.find((shard) => !paths.includes(shard) || /[/\\]/.test(shard));
  if (lost !== undefined) {
    throw new ByteifyError(`${INDEX_FILE} of ${id} names ${lost}, which is not there.`, {
      hint: HINT,
    });
  }
  return shards;
}
