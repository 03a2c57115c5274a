/**
 * @module Writes the config.json that transformers reads, with every key explicit so that differing defaults of versions do not matter
 * (blt-format 3.2).
 */
import { type BltConfig, needsProjection, type TransformerConfig } from './config.js';
import { ropeKeys } from './rope-parameters.js';

type Json = Record<string, unknown>;

const INITIALIZER_RANGE = 0.02;

function transformerKeys(modelType: string, config: TransformerConfig): Json {
  return {
    model_type: modelType,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.hiddenSize / config.heads,
    intermediate_size: config.intermediateSize,
    hidden_act: 'silu',
    rms_norm_eps: config.rmsNormEps,
    // transformers 4.57's converter reads this name
    norm_eps: config.rmsNormEps,
    max_position_embeddings: config.maxPositions,
    dropout: 0,
    initializer_range: INITIALIZER_RANGE,
    tie_word_embeddings: false,
    ...ropeKeys(config.rope),
  };
}

function localKeys(modelType: string, config: TransformerConfig, blt: BltConfig, crossAttnAllLayers: boolean): Json {
  return {
    ...transformerKeys(modelType, config),
    sliding_window: config.window,
    vocab_size: blt.vocabSize,
    hidden_size_global: blt.global.hiddenSize,
    cross_attn_k: blt.crossAttnK,
    cross_attn_all_layers: crossAttnAllLayers,
  };
}

/** The contents of config.json. @param dtype of the weights that the file describes. */
export function toTransformersConfig(config: BltConfig, dtype: 'float32' | 'bfloat16'): Json {
  const { encoder, decoder, global, patcher, hash, patching } = config;
  return {
    architectures: ['BltForCausalLM'],
    model_type: 'blt',
    dtype,
    vocab_size: config.vocabSize,
    max_position_embeddings: config.maxPositions,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 0,
    patch_in_forward: true,
    patch_size: 4,
    patching_mode: 'entropy',
    patching_threshold: patching.threshold,
    patching_batch_size: 1,
    max_patch_length: patching.maxPatchLength,
    local_attention_window_len: encoder.window,
    cross_attn_k: config.crossAttnK,
    encoder_hash_byte_group_size: [...hash.sizes],
    encoder_hash_byte_group_vocab: hash.vocab,
    encoder_hash_byte_group_nb_functions: hash.functions,
    encoder_config: localKeys('blt_local_encoder', encoder, config, encoder.crossAttnAllLayers === true),
    decoder_config: localKeys('blt_local_decoder', decoder, config, decoder.crossAttnAllLayers),
    global_config: {
      ...transformerKeys('blt_global_transformer', global),
      encoder_cross_output_size: needsProjection(config) ? config.crossAttnK * encoder.hiddenSize : null,
    },
    // null is written too: if the key is absent, transformers 5 uses 512
    patcher_config: {
      ...transformerKeys('blt_patcher', patcher),
      sliding_window: patcher.window,
      vocab_size: config.vocabSize,
    },
    initializer_range: INITIALIZER_RANGE,
    tie_word_embeddings: false,
    // The caches of transformers 5 are wrong for BLT, and its default crashes (blt-format 3.2).
    use_cache: false,
    rope_parameters: { rope_type: 'default', rope_theta: encoder.rope.theta },
    rope_theta: encoder.rope.theta,
  };
}
