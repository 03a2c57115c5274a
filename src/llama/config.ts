/** @module Parses the config of a source, and refuses what cannot be converted, naming the reason. */
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
  /** Whether the head is tied to the embedding. `openLlama` sets it from the weights, whatever config.json says. */
  readonly tiedEmbeddings: boolean;
  readonly bosId: number | null;
  readonly eosIds: readonly number[];
}

const MAX_LAYERS = 10_000;

/** Each message completes the sentence "KEY must be ...". */
const size = (max = 2 ** 31) => z.int(`a whole number above zero`).positive(`above zero`).max(max, `at most ${max}`);
const number = z.number('a number').positive('above zero');
const id = z.int('the id of a token').nonnegative('the id of a token');
/** transformers 5 refuses null here too. */
const flag = z.boolean('true or false').default(false);
const object = z.record(z.string(), z.unknown(), 'an object').nullish();

const schema = z.looseObject({
  vocab_size: size(),
  hidden_size: size(),
  num_hidden_layers: size(MAX_LAYERS),
  num_attention_heads: size(),
  num_key_value_heads: size().nullish(),
  intermediate_size: size(),
  head_dim: size().nullish(),
  hidden_act: z.string('the name of an activation').default('silu'),
  attention_bias: flag,
  mlp_bias: flag,
  qkv_bias: flag,
  rms_norm_eps: number.default(1e-6),
  max_position_embeddings: size().default(2048),
  rope_theta: number.nullish(),
  rope_scaling: object,
  rope_parameters: object,
  partial_rotary_factor: number.nullish(),
  tie_word_embeddings: flag,
  bos_token_id: id.nullish(),
  eos_token_id: z.union([id, z.array(id)], 'the id of a token or a list of them').nullish(),
  dtype: z.string('the name of a type').nullish(),
  torch_dtype: z.string('the name of a type').nullish(),
});

type LlamaJson = z.infer<typeof schema>;

/** Llama's default rope base, used when a config names none. */
const DEFAULT_THETA = 10_000;

type Json = Record<string, unknown>;

interface Refusal<Config> {
  readonly found: (json: Config) => boolean;
  /** Completes the sentence "this model cannot be converted: ...". */
  readonly why: (json: Config) => string;
  readonly hint?: string;
}

const OTHER_TASKS =
  /(SequenceClassification|TokenClassification|MultipleChoice|QuestionAnswering|RewardModel|RewardValueModel|ConditionalGeneration)$/;

function otherTask({ architectures }: Json): string | null {
  const names = Array.isArray(architectures) ? architectures : [];
  return names.find((name): name is string => typeof name === 'string' && OTHER_TASKS.test(name)) ?? null;
}

/** Models that are not Llamas for text. They are checked on the raw config, whose keys may mean anything. */
const OTHER_MODELS: readonly Refusal<Json>[] = [
  {
    // null, 0 and 1 mean that a dense model has no experts
    found: (json) => Number(json.num_local_experts ?? 0) > 1 || Number(json.num_experts ?? 0) > 1,
    why: () => 'it is a mixture of experts, and BLT’s global transformer has one feed-forward network per layer',
  },
  {
    found: (json) => json.model_type === undefined && json.peft_type !== undefined,
    why: (json) => `it is an adapter (peft_type is ${JSON.stringify(json.peft_type)}), not a model`,
    hint: 'Merge it into its base model with peft’s merge_and_unload() and save the result.',
  },
  {
    found: (json) => json.model_type !== 'llama',
    why: (json) =>
      json.model_type === undefined
        ? 'it has no model_type'
        : `its model_type is ${JSON.stringify(json.model_type)}, and only Llama’s layers match those of BLT’s global transformer`,
  },
  {
    found: (json) => otherTask(json) !== null,
    why: (json) => `it is a ${otherTask(json)}, which does not predict text`,
    hint: 'Use the causal language model that it was made from.',
  },
  {
    found: (json) => json.quantization_config !== undefined && json.quantization_config !== null,
    why: () =>
      'its weights are quantised in an unsupported form (quantization_config); only quantised GGUF files are supported',
  },
];

/** Read from the config itself, or from its rope settings, where transformers 5 stores it. */
function partialRotaryFactor({ partial_rotary_factor, rope_parameters, rope_scaling }: LlamaJson): unknown {
  const inRope = rope_parameters ?? rope_scaling ?? {};
  return partial_rotary_factor ?? inRope.partial_rotary_factor ?? 1;
}

/** Layers that a BLT's global transformer cannot represent. */
const OTHER_LAYERS: readonly Refusal<LlamaJson>[] = [
  {
    found: (json) => json.attention_bias || json.qkv_bias,
    why: () => 'its attention has biases (attention_bias), and BLT’s has none',
  },
  {
    found: (json) => json.mlp_bias,
    why: () => 'its feed-forward networks have biases (mlp_bias), and BLT’s have none',
  },
  {
    // transformers accepts both names for SiLU
    found: (json) => json.hidden_act !== 'silu' && json.hidden_act !== 'swish',
    why: (json) => `its activation is ${JSON.stringify(json.hidden_act)}, and BLT’s is silu`,
  },
  {
    found: (json) => partialRotaryFactor(json) !== 1,
    why: (json) =>
      `its partial_rotary_factor is ${JSON.stringify(partialRotaryFactor(json))}, but BLT’s rope rotates whole heads`,
  },
  {
    found: ({ hidden_size: width, num_attention_heads: heads }) => width % heads !== 0,
    why: ({ hidden_size: width, num_attention_heads: heads }) =>
      `its hidden_size of ${width} cannot be divided among ${heads} heads`,
  },
  {
    found: ({ head_dim, hidden_size, num_attention_heads }) =>
      head_dim !== undefined && head_dim !== null && head_dim !== hidden_size / num_attention_heads,
    why: (json) => `its head_dim is ${json.head_dim}, not hidden_size / num_attention_heads as in BLT’s attention`,
  },
  {
    found: ({ hidden_size: width, num_attention_heads: heads }) => (width / heads) % 2 !== 0,
    why: ({ hidden_size: width, num_attention_heads: heads }) =>
      `its heads are ${width / heads} wide, but rope rotates pairs`,
  },
  {
    found: ({ num_attention_heads: heads, num_key_value_heads: kv }) => heads % (kv ?? heads) !== 0,
    why: ({ num_attention_heads: heads, num_key_value_heads: kv }) =>
      `its ${heads} heads cannot share ${kv} key-value heads evenly`,
  },
];

/** The hint for models that cannot be converted. */
export const CONVERTIBLE =
  'Llama 2, 3, 3.1 and 3.2 and models with the same architecture (SmolLM2, TinyLlama) can be converted.';

function refuse<Config>(refusals: readonly Refusal<Config>[], json: Config, where: string): void {
  const refusal = refusals.find(({ found }) => found(json));
  if (refusal === undefined) return;
  throw new ByteifyError(`${where}: this model cannot be converted: ${refusal.why(json)}.`, {
    hint: refusal.hint ?? CONVERTIBLE,
  });
}

/** A value as JSON, shortened for an error message. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function parseKeys(json: Json, where: string): LlamaJson {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const value = path.reduce<unknown>((inner, key) => (inner as Json)[key as string], json);
  const key = path.join('.');
  throw new ByteifyError(
    value === undefined ? `${where} lacks ${key}.` : `${where}: ${key} must be ${message}, not ${shown(value)}.`,
    { hint: 'byteify needs the config of a Llama.' },
  );
}

/**
 * Parses and checks the config of a source.
 * @param json the parsed config.json; @param where its path, for errors.
 * @throws ByteifyError naming the reason when the model cannot be converted, or the key that is missing or wrong.
 */
export function parseLlamaConfig(json: unknown, where: string): LlamaConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ByteifyError(`${where} is not a model's config.`);
  refuse(OTHER_MODELS, json as Json, where);
  const config = parseKeys(json as Json, where);
  refuse(OTHER_LAYERS, config, where);
  const heads = config.num_attention_heads;
  const eos = config.eos_token_id ?? [];
  return {
    modelType: 'llama',
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads: config.num_key_value_heads ?? heads,
    intermediateSize: config.intermediate_size,
    rmsNormEps: config.rms_norm_eps,
    rope: parseRope(config, where, DEFAULT_THETA),
    maxPositions: config.max_position_embeddings,
    tiedEmbeddings: config.tie_word_embeddings,
    bosId: config.bos_token_id ?? null,
    eosIds: Array.isArray(eos) ? eos : [eos],
  };
}
