/** @module Every tensor of a BLT checkpoint: name, shape, part, initialisation (blt-format 3.1). */
import { type BltConfig, encoderCrossLayers, needsProjection, type TransformerConfig } from './config.js';
import { hashTables } from './hash-rows.js';

export type Part = 'encoder' | 'decoder' | 'global' | 'patcher' | 'hash' | 'head';
export type Role = 'norm' | 'embedding' | 'linear';

export interface TensorSpec {
  readonly name: string;
  /** Row-major; [out, in] for projections. */
  readonly shape: readonly number[];
  readonly part: Part;
  readonly role: Role;
  /** Standard deviation of the truncated normal that a fresh tensor is drawn from; 0 for norms, which are ones. */
  readonly initStd: number;
  /** Set if no output of the model depends on the tensor. A checkpoint contains it, but it is neither read nor trained. */
  readonly unused?: true;
}

/** A tensor's last name in a cross-attention: `q_proj`. */
const ownName = ({ name }: TensorSpec): string => name.split('.').at(-2)!;

/** Without a choice between several keys, neither queries nor keys matter (blt-format 1.6). */
const CHOOSING: readonly string[] = ['q_norm', 'q_proj', 'k_proj'];

function norm(part: Part, name: string, width: number): TensorSpec {
  return { name: `${name}.weight`, shape: [width], part, role: 'norm', initStd: 0 };
}

/** std = fan_in^-0.5. */
function linear(part: Part, name: string, out: number, fanIn: number): TensorSpec {
  return { name: `${name}.weight`, shape: [out, fanIn], part, role: 'linear', initStd: fanIn ** -0.5 };
}

/** std = width^-0.5. */
function embedding(part: Part, name: string, rows: number, width: number): TensorSpec {
  return { name: `${name}.weight`, shape: [rows, width], part, role: 'embedding', initStd: width ** -0.5 };
}

function kvWidth({ hiddenSize, heads, kvHeads }: TransformerConfig): number {
  return (hiddenSize / heads) * kvHeads;
}

/** The tensors of one block. @param prefix names it in the checkpoint: `model.patcher.layers.0`. */
export function layerTensors(part: Part, prefix: string, config: TransformerConfig): TensorSpec[] {
  const { hiddenSize: width, intermediateSize } = config;
  return [
    linear(part, `${prefix}.self_attn.q_proj`, width, width),
    linear(part, `${prefix}.self_attn.k_proj`, kvWidth(config), width),
    linear(part, `${prefix}.self_attn.v_proj`, kvWidth(config), width),
    linear(part, `${prefix}.self_attn.o_proj`, width, width),
    linear(part, `${prefix}.mlp.gate_proj`, intermediateSize, width),
    linear(part, `${prefix}.mlp.up_proj`, intermediateSize, width),
    linear(part, `${prefix}.mlp.down_proj`, width, intermediateSize),
    norm(part, `${prefix}.input_layernorm`, width),
    norm(part, `${prefix}.post_attention_layernorm`, width),
  ];
}

function layers(part: Part, prefix: string, config: TransformerConfig): TensorSpec[] {
  return Array.from({ length: config.layers }, (_, i) => layerTensors(part, `${prefix}.layers.${i}`, config)).flat();
}

function crossAttention(part: Part, prefix: string, config: TransformerConfig): TensorSpec[] {
  const { hiddenSize: width } = config;
  return [
    linear(part, `${prefix}.q_proj`, width, width),
    linear(part, `${prefix}.k_proj`, kvWidth(config), width),
    linear(part, `${prefix}.v_proj`, kvWidth(config), width),
    linear(part, `${prefix}.o_proj`, width, width),
    norm(part, `${prefix}.q_norm`, width),
    norm(part, `${prefix}.k_norm`, width),
  ];
}

const asUnused = (spec: TensorSpec): TensorSpec => ({ ...spec, unused: true });

/** The encoder's cross-attentions, of which only the last one's output is used (blt-format 1.4). */
function encoderCrossAttentions(config: BltConfig): TensorSpec[] {
  const count = encoderCrossLayers(config);
  return Array.from({ length: count }, (_, i) => {
    const specs = crossAttention('encoder', `model.local_encoder.cross_attn_layers.${i}`, config.encoder);
    return i === count - 1 ? specs : specs.map(asUnused);
  }).flat();
}

/** The decoder's cross-attentions. */
function decoderCrossAttentions({ decoder, crossAttnK }: BltConfig): TensorSpec[] {
  return Array.from({ length: decoder.crossAttnAllLayers ? decoder.layers : 1 }, (_, i) => {
    const specs = crossAttention('decoder', `model.local_decoder.cross_attn_layers.${i}`, decoder);
    return crossAttnK > 1 ? specs : specs.map((spec) => (CHOOSING.includes(ownName(spec)) ? asUnused(spec) : spec));
  }).flat();
}

/** All tensors, in the order in which a checkpoint is written. */
export function bltTensors(config: BltConfig): TensorSpec[] {
  const { encoder, decoder, global, patcher, vocabSize, crossAttnK: k, hash } = config;
  return [
    embedding('hash', 'model.encoder_hash_tok_embedding', hashTables(hash) * hash.vocab, encoder.hiddenSize),
    embedding('encoder', 'model.local_encoder.embed_tokens', vocabSize, encoder.hiddenSize),
    ...layers('encoder', 'model.local_encoder', encoder),
    linear('encoder', 'model.local_encoder.patch_embedding_projection', k * encoder.hiddenSize, encoder.hiddenSize),
    ...encoderCrossAttentions(config),
    ...(needsProjection(config)
      ? [
          linear(
            'encoder',
            'model.global_transformer.token_embedding_projection',
            global.hiddenSize,
            k * encoder.hiddenSize,
          ),
        ]
      : []),
    ...layers('global', 'model.global_transformer', global),
    linear('decoder', 'model.local_decoder.patch_embedding_projection', k * decoder.hiddenSize, global.hiddenSize),
    ...layers('decoder', 'model.local_decoder', decoder),
    ...decoderCrossAttentions(config),
    norm('decoder', 'model.local_decoder.norm', decoder.hiddenSize),
    embedding('patcher', 'model.patcher.embed_tokens', vocabSize, patcher.hiddenSize),
    ...layers('patcher', 'model.patcher', patcher),
    norm('patcher', 'model.patcher.norm', patcher.hiddenSize),
    linear('patcher', 'model.patcher.lm_head', vocabSize, patcher.hiddenSize),
    linear('head', 'lm_head', vocabSize, decoder.hiddenSize),
  ];
}

/** The tensors of the patcher alone. */
export const patcherTensors = (config: BltConfig): TensorSpec[] =>
  bltTensors(config).filter(({ part }) => part === 'patcher');
