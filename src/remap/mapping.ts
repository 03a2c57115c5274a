/** @module The mapping between a Llama and the latent global transformer of a BLT, as data, in both directions (blt-format 4.1). */

/**
 * copy: the bytes unchanged. interleave: rows of each head reordered from (j, j + d/2) pairs to (2j, 2j + 1) pairs, because
 * transformers' Llama rotates halves and BLT rotates neighbours (blt-format 4.2).
 */
export type Transform = 'copy' | 'interleave';

export interface Mapping {
  /** Name in a Llama checkpoint; `{i}` stands for the layer index. */
  readonly llama: string;
  readonly blt: string;
  readonly transform: Transform;
}

const LAYER = (suffix: string, transform: Transform): Mapping => ({
  llama: `model.layers.{i}.${suffix}.weight`,
  blt: `model.global_transformer.layers.{i}.${suffix}.weight`,
  transform,
});

export const LLAMA_TO_BLT: readonly Mapping[] = [
  LAYER('self_attn.q_proj', 'interleave'),
  LAYER('self_attn.k_proj', 'interleave'),
  LAYER('self_attn.v_proj', 'copy'),
  LAYER('self_attn.o_proj', 'copy'),
  LAYER('mlp.gate_proj', 'copy'),
  LAYER('mlp.up_proj', 'copy'),
  LAYER('mlp.down_proj', 'copy'),
  LAYER('input_layernorm', 'copy'),
  LAYER('post_attention_layernorm', 'copy'),
];

/** Llama tensors that have no counterpart in a BLT, and why. */
export const DROPPED: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'a BLT reads bytes: it embeds 260 ids and hashed n-grams',
  'lm_head.weight': 'a BLT predicts bytes: its head has 260 rows',
  'model.norm.weight': 'the latent global transformer has no final norm; the decoder normalises its input',
  'rope_freqs.weight': 'the divisors of a GGUF’s rope scaling: the config has the numbers they are computed from',
};

/** Why any other tensor of a source is left out. */
export const UNKNOWN_REASON = 'a computed buffer of an old checkpoint: rotary frequencies, which the config gives';

export interface MappedName {
  readonly name: string;
  readonly transform: Transform;
}

function translate(name: string, from: 'llama' | 'blt', to: 'llama' | 'blt'): MappedName | null {
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
  if (layer === undefined) return null;
  const pattern = name.replace(`.layers.${layer}.`, '.layers.{i}.');
  const row = LLAMA_TO_BLT.find((mapping) => mapping[from] === pattern);
  return row === undefined ? null : { name: row[to].replace('{i}', layer), transform: row.transform };
}

/** The BLT tensor that a Llama tensor maps to; null when it is dropped. */
export function toBltName(llamaName: string): MappedName | null {
  return translate(llamaName, 'llama', 'blt');
}

/** The Llama tensor that a BLT tensor comes from; null when it is fresh. The transform is that of the forward direction. */
export function toLlamaName(bltName: string): MappedName | null {
  return translate(bltName, 'blt', 'llama');
}
