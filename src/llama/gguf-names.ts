/** @module GGUF's tensor names as transformers has them. */

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

/** The divisors of llama3's rope scaling: a tensor in a GGUF, four numbers of the config in transformers. */
export const ROPE_FREQS = 'rope_freqs.weight';

/** The name in transformers; a tensor that no Llama of transformers has keeps its own, to be refused or dropped by it. */
export function fromGgufName(name: string): string {
  const match = /^blk\.(\d+)\.([a-z_]+)\.(weight|bias)$/.exec(name);
  if (match === null) return TOP[name] ?? name;
  const inner = IN_LAYER[match[2]!];
  return inner === undefined ? name : `model.layers.${match[1]}.${inner}.${match[3]}`;
}
