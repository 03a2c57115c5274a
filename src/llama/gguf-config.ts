/** @module Builds a config.json from the key-value pairs of a GGUF file. */
import { ByteifyError } from '../errors.js';
import { alikeIn, booleanIn, type GgufValue, numberIn } from '../gguf/index.js';
import { CONVERTIBLE } from './config.js';
import { llama3Scaling } from './gguf-rope.js';

type KeyValues = ReadonlyMap<string, GgufValue>;

const PLAIN_ROPE = 'Only plain rope over whole heads and llama3 scaling (Llama 3.1 and later) can be converted.';

function refuse(where: string, what: string, hint: string): never {
  throw new ByteifyError(`${where}: this model cannot be converted: ${what}.`, { hint });
}

/** Returns functions that read keys as numbers. */
function numbersOf(keyValues: KeyValues, where: string) {
  const at = (key: string): number | undefined => {
    const stored = keyValues.get(key);
    if (stored === undefined) return undefined;
    const value = alikeIn(stored);
    if (value === null) return refuse(where, `its ${key} differs from layer to layer`, CONVERTIBLE);
    const number = numberIn(value);
    if (number === null) {
      throw new ByteifyError(`${where}: ${key} must be a number, not ${JSON.stringify(String(value).slice(0, 80))}.`, {
        hint: 'Convert the model to GGUF again.',
      });
    }
    // Floats are stored in 32 bits, so 1e-5 reads as 0.00000999999974. Seven digits recover the intended value.
    return Number.isInteger(number) ? number : Number(number.toPrecision(7));
  };
  const need = (key: string): number => {
    const value = at(key);
    if (value === undefined) throw new ByteifyError(`${where} lacks the key ${key}.`);
    return value;
  };
  return { at, need };
}

type Numbers = ReturnType<typeof numbersOf>;

/** Files that do not contain a model, by `general.type`. */
const OTHER_FILES: Readonly<Record<string, string>> = {
  adapter: 'it is an adapter (general.type), which changes another model',
  imatrix: 'it contains the importance matrix of a quantisation (general.type), not a model',
  mmproj: 'it contains the part of a model that reads images or sound (general.type)',
};

function refuseOtherModels(keyValues: KeyValues, where: string): void {
  const type = keyValues.get('general.type');
  const other = typeof type === 'string' ? OTHER_FILES[type] : undefined;
  if (other !== undefined) refuse(where, other, 'Give the GGUF file of the model itself.');
  const architecture = keyValues.get('general.architecture') ?? null;
  if (architecture !== 'llama')
    refuse(where, `its architecture is ${JSON.stringify(architecture)}, not "llama"`, CONVERTIBLE);
}

/** Keys that make llama.cpp compute something other than a transformers Llama, unless they have these values. */
const NEUTRAL: readonly (readonly [key: string, value: number])[] = [
  ['llama.attention.clamp_kqv', 0],
  ['llama.attention.max_alibi_bias', 0],
  ['llama.logit_scale', 0],
  ['llama.residual_scale', 0],
  ['llama.embedding_scale', 0],
  ['llama.rope.scaling.attn_factor', 1],
];

function refuseOtherLayers(keyValues: KeyValues, where: string, { at }: Numbers, headDim: number): void {
  for (const [key, neutral] of NEUTRAL) {
    const value = at(key) ?? neutral;
    if (value !== neutral && value !== 1) refuse(where, `its ${key} is ${value}`, CONVERTIBLE);
  }
  const scale = at('llama.attention.scale') ?? 0;
  // 0 means the default scale in llama.cpp.
  if (scale !== 0 && Math.abs(scale * Math.sqrt(headDim) - 1) > 1e-4)
    refuse(where, `its llama.attention.scale is ${scale}, not one over the square root of ${headDim}`, CONVERTIBLE);
  const valueWidth = at('llama.attention.value_length') ?? headDim;
  if (valueWidth !== headDim)
    refuse(
      where,
      `its values are ${valueWidth} wide (llama.attention.value_length), but its keys ${headDim}`,
      CONVERTIBLE,
    );
  if (booleanIn(keyValues.get('llama.attention.causal')) === false)
    refuse(where, 'its attention is not causal (llama.attention.causal)', CONVERTIBLE);
}

/**
 * Refuses rope settings that a BLT does not have: rope over part of each head, or linear scaling. llama.cpp treats a factor without a type
 * as linear (llama-model.cpp, hyper-parameters); `llama.rope.scale_linear` is the factor's former key.
 */
function refuseOtherRope(keyValues: KeyValues, where: string, { at }: Numbers, headDim: number): void {
  const turned = at('llama.rope.dimension_count') ?? headDim;
  if (turned !== headDim) {
    const whole = `BLT’s rope rotates whole heads, which are ${headDim} wide`;
    refuse(where, `its llama.rope.dimension_count is ${turned}, but ${whole}`, PLAIN_ROPE);
  }
  const type = keyValues.get('llama.rope.scaling.type') ?? 'linear';
  if (type === 'none') return;
  if (type !== 'linear') refuse(where, `its llama.rope.scaling.type is ${JSON.stringify(String(type))}`, PLAIN_ROPE);
  for (const key of ['llama.rope.scaling.factor', 'llama.rope.scale_linear']) {
    const factor = at(key) ?? 1;
    if (factor !== 1 && factor !== 0) refuse(where, `its ${key} is ${factor}`, PLAIN_ROPE);
  }
}

/**
 * Builds the config as transformers would write it.
 * @param vocabSize rows of the embedding, null if the file has none; @param tied whether the file has no separate head;
 * @param ropeDivisors the tensor `rope_freqs.weight`, or null.
 * @throws ByteifyError when the architecture is not Llama, the rope is not convertible, or a key is missing or not a number.
 */
export function ggufConfig(
  keyValues: KeyValues,
  where: string,
  { vocabSize, tied, ropeDivisors }: { vocabSize: number | null; tied: boolean; ropeDivisors: Float32Array | null },
): Record<string, unknown> {
  refuseOtherModels(keyValues, where);
  if (vocabSize === null) {
    throw new ByteifyError(`${where} lacks the tensor token_embd.weight.`, {
      hint: 'The file may contain only a vocabulary. Give the GGUF file of the whole model.',
    });
  }
  const numbers = numbersOf(keyValues, where);
  const { at, need } = numbers;
  const heads = need('llama.attention.head_count');
  const hidden = need('llama.embedding_length');
  const theta = at('llama.rope.freq_base') ?? 10_000;
  const experts = at('llama.expert_count') ?? 0;
  const headDim = at('llama.attention.key_length') ?? hidden / heads;
  refuseOtherLayers(keyValues, where, numbers, headDim);
  refuseOtherRope(keyValues, where, numbers, headDim);
  const scaling = ropeDivisors === null ? null : llama3Scaling(ropeDivisors, { theta, headDim, where });
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabSize,
    hidden_size: hidden,
    num_hidden_layers: need('llama.block_count'),
    num_attention_heads: heads,
    num_key_value_heads: at('llama.attention.head_count_kv') ?? heads,
    head_dim: headDim,
    intermediate_size: need('llama.feed_forward_length'),
    rms_norm_eps: need('llama.attention.layer_norm_rms_epsilon'),
    max_position_embeddings: at('llama.context_length') ?? 2048,
    rope_theta: theta,
    ...(scaling !== null && { rope_scaling: scaling }),
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: tied,
    bos_token_id: at('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: at('tokenizer.ggml.eos_token_id') ?? null,
    ...(experts > 0 && { num_local_experts: experts }),
  };
}
