/** @module The config.json that a GGUF file's key-values amount to. */
import { ByteifyError } from '../errors.js';
import type { GgufValue } from '../gguf/index.js';

type KeyValues = ReadonlyMap<string, GgufValue>;

function numberAt(keyValues: KeyValues, key: string): number | undefined {
  const value = keyValues.get(key);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'number') return undefined;
  // Floats are stored in 32 bits: 1e-5 reads as 0.00000999999974; seven digits are what was meant.
  return Number.isInteger(value) ? value : Number(value.toPrecision(7));
}

/** Published Llama 3.1 and 3.2 models use these; which factor, the divisors tell. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** llama.cpp stores Llama 3.1's scaling as a divisor of each frequency, instead of the rule's four numbers. */
function llama3Scaling(divisors: Float32Array, where: string): Record<string, unknown> {
  const factor = Math.max(...divisors);
  if (!(factor > 1) || divisors.some((divisor) => divisor < 1)) {
    throw new ByteifyError(`${where} holds rope_freqs that are not Llama 3.1’s scaling.`, {
      hint: 'Use the transformers checkpoint instead.',
    });
  }
  return { rope_type: 'llama3', factor: Math.round(factor), ...LLAMA3 };
}

/**
 * @param vocabSize rows of the embedding; @param tied whether the file has no head of its own; @param ropeDivisors the tensor `rope_freqs.weight`.
 * @throws ByteifyError when the architecture is not Llama, or a key is missing.
 */
export function ggufConfig(
  keyValues: KeyValues,
  where: string,
  { vocabSize, tied, ropeDivisors }: { vocabSize: number; tied: boolean; ropeDivisors: Float32Array | null },
): Record<string, unknown> {
  const architecture = keyValues.get('general.architecture');
  if (architecture !== 'llama') {
    throw new ByteifyError(
      `${where}: this model cannot be converted: its architecture is ${JSON.stringify(architecture ?? null)}, not "llama".`,
      {
        hint: 'Llama 2, 3, 3.1 and 3.2 and what shares their architecture (SmolLM2, TinyLlama) can be.',
      },
    );
  }
  const need = (key: string): number => {
    const value = numberAt(keyValues, `llama.${key}`);
    if (value === undefined) throw new ByteifyError(`${where} lacks the key llama.${key}.`);
    return value;
  };
  const heads = need('attention.head_count');
  const hidden = need('embedding_length');
  const theta = numberAt(keyValues, 'llama.rope.freq_base') ?? 10_000;
  const experts = numberAt(keyValues, 'llama.expert_count') ?? 0;
  const scalingType = keyValues.get('llama.rope.scaling.type');
  const scaling =
    ropeDivisors !== null
      ? llama3Scaling(ropeDivisors, where)
      : scalingType !== undefined && scalingType !== 'none'
        ? { rope_type: scalingType }
        : null;
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabSize,
    hidden_size: hidden,
    num_hidden_layers: need('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: numberAt(keyValues, 'llama.attention.head_count_kv') ?? heads,
    head_dim: numberAt(keyValues, 'llama.attention.key_length') ?? hidden / heads,
    intermediate_size: need('feed_forward_length'),
    rms_norm_eps: need('attention.layer_norm_rms_epsilon'),
    max_position_embeddings: numberAt(keyValues, 'llama.context_length') ?? 2048,
    rope_theta: theta,
    ...(scaling !== null && { rope_scaling: scaling }),
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: tied,
    bos_token_id: numberAt(keyValues, 'tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: numberAt(keyValues, 'tokenizer.ggml.eos_token_id') ?? null,
    ...(experts > 0 && { num_local_experts: experts }),
  };
}
