/** @module Reads the config.json of a BltForCausalLM, as transformers 4.57 and 5 write it (blt-format 3.2). */
import { z } from 'zod';
import { ByteifyError } from '../errors.js';
import type { BltConfig, TransformerConfig } from './config.js';
import { parseRope } from './rope-parameters.js';
import { VOCAB_SIZE } from './vocabulary.js';

const count = z
  .int()
  .positive()
  .max(2 ** 32);

const transformer = z.looseObject({
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count.nullish(),
  rms_norm_eps: z.number().positive().default(1e-5),
  max_position_embeddings: count,
  hidden_act: z.literal('silu').default('silu'),
});

const local = transformer.extend({
  vocab_size: z.literal(VOCAB_SIZE).default(VOCAB_SIZE),
  cross_attn_k: count.default(2),
  /** null is Python's None, which counts as false. */
  cross_attn_all_layers: z.boolean().nullable(),
});

const schema = z.looseObject({
  model_type: z.literal('blt'),
  vocab_size: z.literal(VOCAB_SIZE).default(VOCAB_SIZE),
  max_position_embeddings: count,
  patch_in_forward: z.literal(true).default(true),
  patching_mode: z.literal('entropy').default('entropy'),
  patching_threshold: z.number(),
  max_patch_length: count.nullish(),
  local_attention_window_len: count.nullish(),
  cross_attn_k: count,
  encoder_hash_byte_group_size: z.array(count.max(64)).min(1).nullish(),
  encoder_hash_byte_group_vocab: count,
  encoder_hash_byte_group_nb_functions: count,
  tie_word_embeddings: z.boolean().default(false),
  encoder_config: local.extend({ cross_attn_all_layers: z.boolean().nullable().default(false) }),
  decoder_config: local.extend({
    cross_attn_all_layers: z.boolean().nullable().default(true),
    hidden_size_global: count.optional(),
  }),
  global_config: transformer,
  patcher_config: transformer.extend({ sliding_window: count.nullish() }),
});

const DEFAULT_HASH_SIZES = [3, 4, 5, 6, 7, 8];
/** The window that transformers 5 uses when a config says nothing, as configs of 4.57 do. null means all earlier positions. */
const DEFAULT_WINDOW = 512;

function windowOf(stated: number | null | undefined): number | null {
  return stated === undefined ? DEFAULT_WINDOW : stated;
}

type TransformerJson = z.infer<typeof transformer>;

/** The defaults of transformers 5 for keys that a part's config lacks. A null width is 8/3 of the hidden size, as in 4.57; 5 accepts it for the encoder only. */
interface Defaults {
  readonly theta: number;
  /** null: 8/3 of the width, rounded down. 4.57 used 2,816 for the encoder too (blt-format 3.2). */
  readonly intermediateSize: number | null;
}

const ENCODER: Defaults = { theta: 500_000, intermediateSize: null };
const DECODER: Defaults = { theta: 500_000, intermediateSize: 2816 };
const GLOBAL: Defaults = { theta: 500_000, intermediateSize: 5632 };
const PATCHER: Defaults = { theta: 10_000, intermediateSize: 2048 };

function feedForwardWidth(json: TransformerJson, { intermediateSize }: Defaults): number {
  const size = json.intermediate_size === undefined ? intermediateSize : json.intermediate_size;
  return size ?? Math.floor((8 * json.hidden_size) / 3);
}

function transformerConfig(
  json: TransformerJson,
  where: string,
  defaults: Defaults,
  window: number | null,
): TransformerConfig {
  const { hidden_size: hiddenSize, num_attention_heads: heads } = json;
  const kvHeads = json.num_key_value_heads ?? heads;
  if (hiddenSize % heads !== 0 || (hiddenSize / heads) % 2 !== 0 || heads % kvHeads !== 0) {
    throw new ByteifyError(
      `${where}: ${heads} heads and ${kvHeads} key-value heads do not divide a hidden size of ${hiddenSize}.`,
    );
  }
  if (json.head_dim != null && json.head_dim !== hiddenSize / heads) {
    throw new ByteifyError(
      `${where}: head_dim is ${json.head_dim}, but ${heads} heads divide a hidden size of ${hiddenSize} into widths of ${hiddenSize / heads}.`,
      { hint: 'transformers cannot run such a BLT either. Remove head_dim, or correct the sizes.' },
    );
  }
  return {
    hiddenSize,
    heads,
    kvHeads,
    layers: json.num_hidden_layers,
    intermediateSize: feedForwardWidth(json, defaults),
    rmsNormEps: json.rms_norm_eps,
    rope: parseRope(json, where, defaults.theta),
    maxPositions: json.max_position_embeddings,
    window,
  };
}

/**
 * Parses and checks the config of a BLT.
 * @param json the parsed file; @param where its path, for errors.
 * @throws ByteifyError naming the key that is missing, wrong, or requests something that byteify does not support.
 */
export function parseBltConfig(json: unknown, where: string): BltConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new ByteifyError(
      `${where} is not the config of a supported BLT: ${issue.path.join('.') || 'top level'}: ${issue.message}.`,
      {
        hint: 'byteify needs a checkpoint of BltForCausalLM with entropy patching.',
      },
    );
  }
  const {
    encoder_config: encoder,
    decoder_config: decoder,
    global_config: global,
    patcher_config: patcher,
    ...top
  } = parsed.data;
  if (top.tie_word_embeddings) {
    throw new ByteifyError(
      `${where}: tie_word_embeddings is true, and byteify reads only BLTs with a head of their own.`,
      {
        hint: 'Set it to false if the checkpoint has lm_head.weight; otherwise add that tensor first, as a copy of model.local_encoder.embed_tokens.weight.',
      },
    );
  }
  const window = windowOf(top.local_attention_window_len);
  const refuse = (what: string): never => {
    throw new ByteifyError(`${where}: ${what}.`);
  };
  if (encoder.cross_attn_k !== top.cross_attn_k || decoder.cross_attn_k !== top.cross_attn_k) {
    refuse('cross_attn_k differs between the top level, encoder_config and decoder_config');
  }
  if (encoder.hidden_size !== decoder.hidden_size)
    refuse('encoder_config.hidden_size and decoder_config.hidden_size differ');
  if (decoder.hidden_size_global !== undefined && decoder.hidden_size_global !== global.hidden_size) {
    refuse('decoder_config.hidden_size_global is not global_config.hidden_size');
  }
  return {
    vocabSize: top.vocab_size,
    crossAttnK: top.cross_attn_k,
    hash: {
      sizes: top.encoder_hash_byte_group_size ?? DEFAULT_HASH_SIZES,
      functions: top.encoder_hash_byte_group_nb_functions,
      vocab: top.encoder_hash_byte_group_vocab,
    },
    encoder: {
      ...transformerConfig(encoder, `${where}: encoder_config`, ENCODER, window),
      ...(encoder.cross_attn_all_layers === true && { crossAttnAllLayers: true }),
    },
    decoder: {
      ...transformerConfig(decoder, `${where}: decoder_config`, DECODER, window),
      crossAttnAllLayers: decoder.cross_attn_all_layers === true,
    },
    global: transformerConfig(global, `${where}: global_config`, GLOBAL, null),
    patcher: transformerConfig(patcher, `${where}: patcher_config`, PATCHER, windowOf(patcher.sliding_window)),
    patching: { threshold: top.patching_threshold, maxPatchLength: top.max_patch_length ?? null },
    maxPositions: top.max_position_embeddings,
  };
}
