/** @module Compares local files with a repository to determine what publishing changes. Pure functions. */
import type { RemoteFile } from '../list-remote.js';
import type { LocalFile } from './local-files.js';
import type { Origin } from './origin.js';

export interface Changes {
  readonly upload: readonly LocalFile[];
  /** Files that the repository already has, byte for byte. */
  readonly unchanged: readonly LocalFile[];
  /** Paths of an earlier model's files that would be loaded together with this model or instead of it. */
  readonly remove: readonly string[];
}

/** Whether size and digest agree: sha256 for a file in large-file storage, else git's sha1. */
export function isSame(local: LocalFile, remote: RemoteFile): boolean {
  if (local.sizeBytes !== remote.sizeBytes) return false;
  return remote.sha256 === null ? remote.oid === local.gitSha1 : remote.sha256 === local.sha256;
}

/**
 * Files that transformers loads from a model's repository, and records of the model's origin. Other files are kept: documents, images, weights
 * for other programs.
 */
const MODEL_FILES: readonly RegExp[] = [
  /^(model|pytorch_model|adapter_model)(-\d+-of-\d+)?\.(safetensors|bin)(\.index\.json)?$/,
  /^(tf_model\.h5|flax_model\.msgpack)$/,
  /^(adapter_|generation_|preprocessor_|processor_)?config\.json$/,
  /^tokenizer(_config)?\.(json|model)$/,
  /^(special_tokens_map|added_tokens|vocab)\.json$/,
  /^(vocab|merges)\.txt$/,
  /^chat_template\.(jinja|json)$/,
  /^(provenance\.json|recipe\.yaml)$/,
];

/** Weights in any format, and the config: a repository without them contains no model. */
const WEIGHTS_OR_CONFIG: readonly RegExp[] = [
  /\.(safetensors|bin|pt|pth|ckpt|gguf|ggml|h5|msgpack|onnx|ot|tflite)$/i,
  /^config\.json$/,
];

const matches = (patterns: readonly RegExp[], path: string) => patterns.some((pattern) => pattern.test(path));

/** Determines which files to upload, keep and remove so that the repository matches the local files. */
export function changesTo(remote: readonly RemoteFile[], local: readonly LocalFile[]): Changes {
  const existing = new Map(remote.map((file) => [file.path, file]));
  const isUnchanged = (file: LocalFile) => {
    const found = existing.get(file.path);
    return found !== undefined && isSame(file, found);
  };
  const ours = new Set(local.map(({ path }) => path));
  return {
    upload: local.filter((file) => !isUnchanged(file)),
    unchanged: local.filter(isUnchanged),
    remove: [...existing.keys()].filter((path) => !ours.has(path) && matches(MODEL_FILES, path)).sort(),
  };
}

/**
 * Detects another model in the repository: weights or a config that differ from the local files and were not made from the same source by
 * the same recipe.
 * @param origins of the repository's model and of the published one, if known.
 * @returns a noun phrase that describes the other model; null if the repository contains the same model, or none.
 */
export function otherModel(
  remote: readonly RemoteFile[],
  local: readonly LocalFile[],
  origins: { readonly remote: Origin | null; readonly local: Origin | null },
): string | null {
  const ours = new Map(local.map((file) => [file.path, file]));
  const foreign = remote.filter((file) => {
    const mine = ours.get(file.path);
    return matches(WEIGHTS_OR_CONFIG, file.path) && !(mine !== undefined && isSame(mine, file));
  });
  if (foreign.length === 0) return null;
  const { remote: theirs, local: own } = origins;
  if (theirs === null) return `${foreign[0]!.path}, which does not belong to this model`;
  const made = `one made from ${theirs.source.name} by the recipe ${theirs.recipe.name}`;
  if (own?.source.sha256 !== theirs.source.sha256) return made;
  return own.recipe.sha256 === theirs.recipe.sha256 ? null : `${made} with other settings`;
}
