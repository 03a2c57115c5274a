/** @module Lists every tensor of a Llama checkpoint in transformers' format. */
import type { LlamaConfig } from './config.js';

export interface LlamaTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

export function llamaTensors(config: LlamaConfig): LlamaTensor[] {
  const { hiddenSize: width, heads, kvHeads, intermediateSize, layers, vocabSize, tiedEmbeddings } = config;
  const kvWidth = (width / heads) * kvHeads;
  const layer = (i: number): LlamaTensor[] => {
    const tensor = (name: string, ...shape: number[]) => ({ name: `model.layers.${i}.${name}.weight`, shape });
    return [
      tensor('self_attn.q_proj', width, width),
      tensor('self_attn.k_proj', kvWidth, width),
      tensor('self_attn.v_proj', kvWidth, width),
      tensor('self_attn.o_proj', width, width),
      tensor('mlp.gate_proj', intermediateSize, width),
      tensor('mlp.up_proj', intermediateSize, width),
      tensor('mlp.down_proj', width, intermediateSize),
      tensor('input_layernorm', width),
      tensor('post_attention_layernorm', width),
    ];
  };
  return [
    { name: 'model.embed_tokens.weight', shape: [vocabSize, width] },
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    { name: 'model.norm.weight', shape: [width] },
    ...(tiedEmbeddings ? [] : [{ name: 'lm_head.weight', shape: [vocabSize, width] }]),
  ];
}
