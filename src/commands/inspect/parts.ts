/** @module Finds the part of a model to which a tensor belongs, by the tensor's name. */

type Rules = readonly (readonly [pattern: RegExp, part: string])[];

/** Llama tensor names, as in transformers and in GGUF. */
const LLAMA_PARTS: Rules = [
  [/(^|\.)embed_tokens\.|^token_embd\./, 'embedding'],
  [/^lm_head\.|^output\./, 'head'],
  [/norm/, 'norms'],
  [/\.self_attn\.|\.attn_/, 'attention'],
  [/\.mlp\.|\.ffn_/, 'feed-forward'],
];

/** The names of a BLT (blt-format 3.1), for files without a config. */
const BLT_PARTS: Rules = [
  [/^model\.patcher\./, 'patcher'],
  [/^model\.encoder_hash_tok_embedding\./, 'hash'],
  [/^model\.local_encoder\./, 'encoder'],
  [/^model\.global_transformer\./, 'global'],
  [/^model\.local_decoder\./, 'decoder'],
  [/^lm_head\./, 'head'],
];

/** Returns a function from a tensor's name to its part; `other` for a tensor that neither a Llama nor a BLT has. */
export function partFinder(names: Iterable<string>): (name: string) => string {
  const isBlt = [...names].some((name) => name.startsWith('model.local_encoder.'));
  const rules = isBlt ? BLT_PARTS : LLAMA_PARTS;
  return (name) => rules.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}
