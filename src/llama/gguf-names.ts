/** @module Translates GGUF's tensor names to those of transformers. */

const TOP: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

const IN_LAYER: Readonly<Record<string, string>> = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
};

/** The divisors of llama3's rope scaling: a tensor in GGUF, four numbers of the config in transformers. */
export const ROPE_FREQS = 'rope_freqs.weight';

/** The name in transformers. A tensor that no transformers Llama has keeps its name, and is refused or dropped under it. */
export function fromGgufName(name: string): string {
  const match = /^blk\.(\d+)\.([a-z_]+)\.(weight|bias)$/.exec(name);
  if (match === null) return TOP[name] ?? name;
  const inner = IN_LAYER[match[2]!];
  return inner === undefined ? name : `model.layers.${match[1]}.${inner}.${match[3]}`;
}
