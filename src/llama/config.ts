/** @module The config of a source, and what cannot be converted, refused by name with the reason. */
import { z } from 'zod';
import { parseRope, type RopeConfig } from '../blt/index.js';
import { ByteifyError } from '../errors.js';

export interface LlamaConfig {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly intermediateSize: number;
  readonly rmsNormEps: number;
  readonly rope: RopeConfig;
  readonly maxPositions: number;
  /** The head is the embedding; the checkpoint has no lm_head. */
  readonly tiedEmbeddings: boolean;
  readonly bosId: number | null;
  readonly eosIds: readonly number[];
}

const size = z
  .int()
  .positive()
  .max(2 ** 31);
const id = z.int().nonnegative();

const schema = z.looseObject({
  model_type: z.literal('llama'),
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: size.max(10_000),
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  intermediate_size: size,
  rms_norm_eps: z.number().positive().default(1e-6),
  max_position_embeddings: size.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: id.nullish(),
  eos_token_id: z.union([id, z.array(id)]).nullish(),
});

/** Llama's own rope base where a config names none. */
const DEFAULT_THETA = 10_000;

type Json = Record<string, unknown>;

/** Of the config itself, or of its rope settings, where transformers 5 keeps it. */
function partialRotaryFactor({ partial_rotary_factor, rope_parameters, rope_scaling }: Json): unknown {
  const inRope = (rope_parameters ?? rope_scaling ?? {}) as Json;
  return partial_rotary_factor ?? inRope.partial_rotary_factor ?? 1;
}

/** What a BLT's global transformer cannot hold: a test of the raw config, and why. */
const REFUSALS: readonly { readonly found: (json: Json) => boolean; readonly why: (json: Json) => string }[] = [
  {
    // null, 0 and 1 are how dense models say that they have none
    found: (json) => Number(json.num_local_experts ?? 0) > 1 || Number(json.num_experts ?? 0) > 1,
    why: () => 'it is a mixture of experts, and BLT’s global transformer has one feed-forward network a layer',
  },
  {
    found: (json) => json.model_type !== 'llama',
    why: (json) =>
      `its model_type is ${JSON.stringify(json.model_type)}, and only Llama’s layers are those of BLT’s global transformer`,
  },
  {
    found: (json) => json.attention_bias === true || json.qkv_bias === true,
    why: () => 'its attention has biases (attention_bias), and BLT’s has none',
  },
  {
    found: (json) => json.mlp_bias === true,
    why: () => 'its feed-forward networks have biases (mlp_bias), and BLT’s have none',
  },
  {
    found: (json) => json.hidden_act !== undefined && json.hidden_act !== 'silu',
    why: (json) => `its activation is ${JSON.stringify(json.hidden_act)}, and BLT’s is silu`,
  },
  {
    found: (json) => json.quantization_config !== undefined && json.quantization_config !== null,
    why: () => 'its weights are quantised in a form that is not read here (quantization_config); GGUF files are',
  },
  {
    found: (json) => partialRotaryFactor(json) !== 1,
    why: (json) =>
      `its partial_rotary_factor is ${JSON.stringify(partialRotaryFactor(json))}, and BLT’s rope turns the whole of a head`,
  },
  {
    found: (json) =>
      json.head_dim !== undefined &&
      json.head_dim !== null &&
      json.head_dim !== Number(json.hidden_size) / Number(json.num_attention_heads),
    why: (json) =>
      `its head_dim is ${json.head_dim}, not hidden_size / num_attention_heads, which BLT’s attention always is`,
  },
];

/**
 * @param json the parsed config.json; @param where its path, for errors.
 * @throws ByteifyError naming the reason when the model cannot be converted, or the key that is missing or wrong.
 */
export function parseLlamaConfig(json: unknown, where: string): LlamaConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ByteifyError(`${where} is not a model's config.`);
  const refusal = REFUSALS.find(({ found }) => found(json as Json));
  if (refusal !== undefined) {
    throw new ByteifyError(`${where}: this model cannot be converted: ${refusal.why(json as Json)}.`, {
      hint: 'Llama 2, 3, 3.1 and 3.2 and what shares their architecture (SmolLM2, TinyLlama) can be.',
    });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new ByteifyError(`${where}: ${issue.path.join('.')}: ${issue.message}.`, {
      hint: 'The config of a Llama is expected.',
    });
  }
  const config = parsed.data;
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (config.hidden_size % (2 * heads) !== 0 || heads % kvHeads !== 0) {
    throw new ByteifyError(
      `${where}: ${heads} heads and ${kvHeads} key-value heads do not divide a hidden size of ${config.hidden_size}.`,
    );
  }
  const eos = config.eos_token_id ?? [];
  return {
    modelType: config.model_type,
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads,
    intermediateSize: config.intermediate_size,
    rmsNormEps: config.rms_norm_eps,
    rope: parseRope(config, where, DEFAULT_THETA),
    maxPositions: config.max_position_embeddings,
    tiedEmbeddings: config.tie_word_embeddings,
    bosId: config.bos_token_id ?? null,
    eosIds: Array.isArray(eos) ? eos : [eos],
  };
}
