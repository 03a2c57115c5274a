/** @module What a publish changes: pure comparisons of the files here with those in the repository. */
import type { RemoteFile } from '../list-remote.js';
import type { LocalFile } from './local-files.js';
import type { Origin } from './origin.js';

export interface Changes {
  readonly upload: readonly LocalFile[];
  /** There already, byte for byte. */
  readonly unchanged: readonly LocalFile[];
  /** Paths of files of an earlier model that would be read beside this one or instead of it. */
  readonly remove: readonly string[];
}

/** Size and digest agree: sha256 for a file in large-file storage, else git's sha1. */
export function isSame(local: LocalFile, remote: RemoteFile): boolean {
  if (local.sizeBytes !== remote.sizeBytes) return false;
  return remote.sha256 === null ? remote.oid === local.gitSha1 : remote.sha256 === local.sha256;
}

/**
 * What transformers looks for in a repository, whatever model it is of, and what tells of its making. What is not in the list is kept: papers, pictures,
 * weights for other programs.
 */
const READ_OF_A_MODEL: readonly RegExp[] = [
  /^(model|pytorch_model|adapter_model)(-\d+-of-\d+)?\.(safetensors|bin)(\.index\.json)?$/,
  /^(tf_model\.h5|flax_model\.msgpack)$/,
  /^(adapter_|generation_|preprocessor_|processor_)?config\.json$/,
  /^tokenizer(_config)?\.(json|model)$/,
  /^(special_tokens_map|added_tokens|vocab)\.json$/,
  /^(vocab|merges)\.txt$/,
  /^chat_template\.(jinja|json)$/,
  /^(provenance\.json|recipe\.yaml)$/,
];

/** Weights in any format, and the config: a repository without either holds no model. */
const MODEL: readonly RegExp[] = [
  /\.(safetensors|bin|pt|pth|ckpt|gguf|ggml|h5|msgpack|onnx|ot|tflite)$/i,
  /^config\.json$/,
];

const matches = (patterns: readonly RegExp[], path: string) => patterns.some((pattern) => pattern.test(path));

export function changesTo(remote: readonly RemoteFile[], local: readonly LocalFile[]): Changes {
  const there = new Map(remote.map((file) => [file.path, file]));
  const isThere = (file: LocalFile) => {
    const found = there.get(file.path);
    return found !== undefined && isSame(file, found);
  };
  const ours = new Set(local.map(({ path }) => path));
  return {
    upload: local.filter((file) => !isThere(file)),
    unchanged: local.filter(isThere),
    remove: [...there.keys()].filter((path) => !ours.has(path) && matches(READ_OF_A_MODEL, path)).sort(),
  };
}

/**
 * Whether the repository holds another model than the one that is published: weights or a config that are neither these very files nor
 * made from the same source by the same recipe.
 * @param origins of what is in the repository and of what is published, as far as they are known
 * @returns what it holds, to go on "It holds ..."; null when it is the same model, or none
 */
export function otherModel(
  remote: readonly RemoteFile[],
  local: readonly LocalFile[],
  origins: { readonly remote: Origin | null; readonly local: Origin | null },
): string | null {
  const ours = new Map(local.map((file) => [file.path, file]));
  const foreign = remote.filter((file) => {
    const mine = ours.get(file.path);
    return matches(MODEL, file.path) && !(mine !== undefined && isSame(mine, file));
  });
  if (foreign.length === 0) return null;
  const { remote: theirs, local: own } = origins;
  if (theirs === null) return `${foreign[0]!.path}, which is not of this model`;
  const made = `one made from ${theirs.source.name} by the recipe ${theirs.recipe.name}`;
  if (own?.source.sha256 !== theirs.source.sha256) return made;
  return own.recipe.sha256 === theirs.recipe.sha256 ? null : `${made} with other settings`;
}
