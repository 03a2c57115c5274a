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
  /** The head is the embedding. Of a source that `openLlama` opened: whether it is in truth, whatever config.json says. */
  readonly tiedEmbeddings: boolean;
  readonly bosId: number | null;
  readonly eosIds: readonly number[];
}

const MAX_LAYERS = 10_000;

/** Each message goes on "KEY must be". */
const size = (max = 2 ** 31) => z.int(`a whole number above zero`).positive(`above zero`).max(max, `at most ${max}`);
const number = z.number('a number').positive('above zero');
const id = z.int('the id of a token').nonnegative('the id of a token');
/** transformers 5 refuses null here, too. */
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

/** Llama's own rope base where a config names none. */
const DEFAULT_THETA = 10_000;

type Json = Record<string, unknown>;

interface Refusal<Config> {
  readonly found: (json: Config) => boolean;
  /** Goes on "this model cannot be converted:". */
  readonly why: (json: Config) => string;
  readonly hint?: string;
}

const OTHER_TASKS =
  /(SequenceClassification|TokenClassification|MultipleChoice|QuestionAnswering|RewardModel|RewardValueModel|ConditionalGeneration)$/;

function otherTask({ architectures }: Json): string | null {
  const names = Array.isArray(architectures) ? architectures : [];
  return names.find((name): name is string => typeof name === 'string' && OTHER_TASKS.test(name)) ?? null;
}

/** What is no Llama for text: asked of the raw config, whose keys may mean anything. */
const OTHER_MODELS: readonly Refusal<Json>[] = [
  {
    // null, 0 and 1 are how dense models say that they have none
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
        ? 'it names no model_type'
        : `its model_type is ${JSON.stringify(json.model_type)}, and only Llama’s layers are those of BLT’s global transformer`,
  },
  {
    found: (json) => otherTask(json) !== null,
    why: (json) => `it is a ${otherTask(json)}, which does not predict text`,
    hint: 'Take the causal language model that it was made from.',
  },
  {
    found: (json) => json.quantization_config !== undefined && json.quantization_config !== null,
    why: () => 'its weights are quantised in a form that is not read here (quantization_config); GGUF files are',
  },
];

/** Of the config itself, or of its rope settings, where transformers 5 keeps it. */
function partialRotaryFactor({ partial_rotary_factor, rope_parameters, rope_scaling }: LlamaJson): unknown {
  const inRope = rope_parameters ?? rope_scaling ?? {};
  return partial_rotary_factor ?? inRope.partial_rotary_factor ?? 1;
}

/** What a BLT's global transformer cannot hold. */
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
    // transformers knows SiLU under both names
    found: (json) => json.hidden_act !== 'silu' && json.hidden_act !== 'swish',
    why: (json) => `its activation is ${JSON.stringify(json.hidden_act)}, and BLT’s is silu`,
  },
  {
    found: (json) => partialRotaryFactor(json) !== 1,
    why: (json) =>
      `its partial_rotary_factor is ${JSON.stringify(partialRotaryFactor(json))}, and BLT’s rope turns the whole of a head`,
  },
  {
    found: ({ hidden_size: width, num_attention_heads: heads }) => width % heads !== 0,
    why: ({ hidden_size: width, num_attention_heads: heads }) =>
      `its hidden_size of ${width} cannot be divided among ${heads} heads`,
  },
  {
    found: ({ head_dim, hidden_size, num_attention_heads }) =>
      head_dim !== undefined && head_dim !== null && head_dim !== hidden_size / num_attention_heads,
    why: (json) =>
      `its head_dim is ${json.head_dim}, not hidden_size / num_attention_heads, which BLT’s attention always is`,
  },
  {
    found: ({ hidden_size: width, num_attention_heads: heads }) => (width / heads) % 2 !== 0,
    why: ({ hidden_size: width, num_attention_heads: heads }) =>
      `its heads are ${width / heads} wide, and rope turns pairs`,
  },
  {
    found: ({ num_attention_heads: heads, num_key_value_heads: kv }) => heads % (kv ?? heads) !== 0,
    why: ({ num_attention_heads: heads, num_key_value_heads: kv }) =>
      `its ${heads} heads cannot share ${kv} key-value heads evenly`,
  },
];

const CONVERTIBLE = 'Llama 2, 3, 3.1 and 3.2 and what shares their architecture (SmolLM2, TinyLlama) can be.';

function refuse<Config>(refusals: readonly Refusal<Config>[], json: Config, where: string): void {
  const refusal = refusals.find(({ found }) => found(json));
  if (refusal === undefined) return;
  throw new ByteifyError(`${where}: this model cannot be converted: ${refusal.why(json)}.`, {
    hint: refusal.hint ?? CONVERTIBLE,
  });
}

/** JSON as an error can carry it. */
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
    { hint: 'The config of a Llama is expected.' },
  );
}

/**
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
