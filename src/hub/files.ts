/** @module Which files of a repository a conversion needs. */

const WANTED: readonly RegExp[] = [
  /^config\.json$/,
  /^generation_config\.json$/,
  /^tokenizer(_config)?\.json$/,
  /^tokenizer\.model$/,
  /^special_tokens_map\.json$/,
  /^(?!consolidated)[^/]+\.safetensors$/,
  /^[^/]+\.safetensors\.index\.json$/,
  /^(LICENSE|NOTICE|USE_POLICY)([.-][^/]*)?$/i,
  /^README\.md$/,
];

/** Files at the top of the repository only: `original/` holds the same weights in another format. */
export function isWanted(path: string): boolean {
  return WANTED.some((pattern) => pattern.test(path));
}
