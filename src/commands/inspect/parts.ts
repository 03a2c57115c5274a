/** @module Which part of a model a tensor belongs to, by its name. */

type Rules = readonly (readonly [pattern: RegExp, part: string])[];

/** transformers' Llama names, and GGUF's. */
const LLAMA_PARTS: Rules = [
  [/(^|\.)embed_tokens\.|^token_embd\./, 'embedding'],
  [/^lm_head\.|^output\./, 'head'],
  [/norm/, 'norms'],
  [/\.self_attn\.|\.attn_/, 'attention'],
  [/\.mlp\.|\.ffn_/, 'feed-forward'],
];

/** The names of a BLT (blt-format 3.1), for files that come without a config. */
const BLT_PARTS: Rules = [
  [/^model\.patcher\./, 'patcher'],
  [/^model\.encoder_hash_tok_embedding\./, 'hash'],
  [/^model\.local_encoder\./, 'encoder'],
  [/^model\.global_transformer\./, 'global'],
  [/^model\.local_decoder\./, 'decoder'],
  [/^lm_head\./, 'head'],
];

/** A part by name for any model; `other` for what neither a Llama nor a BLT has. */
export function partFinder(names: Iterable<string>): (name: string) => string {
  const isBlt = [...names].some((name) => name.startsWith('model.local_encoder.'));
  const rules = isBlt ? BLT_PARTS : LLAMA_PARTS;
  return (name) => rules.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}
