/** @module The config.json that a GGUF file's key-values amount to. */
import { ByteifyError } from '../errors.js';
import type { GgufValue } from '../gguf/index.js';
import { llama3Scaling } from './gguf-rope.js';

type KeyValues = ReadonlyMap<string, GgufValue>;

function numberAt(keyValues: KeyValues, key: string): number | undefined {
  const value = keyValues.get(key);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'number') return undefined;
  // Floats are stored in 32 bits: 1e-5 reads as 0.00000999999974; seven digits are what was meant.
  return Number.isInteger(value) ? value : Number(value.toPrecision(7));
}

/**
 * Rope that a BLT does not have: of a part of each head, or stretched evenly. llama.cpp takes a factor without a type as linear
 * (llama-model.cpp, its hyper-parameters), and `llama.rope.scale_linear` is the factor's former key.
 */
function refuseOtherRope(keyValues: KeyValues, where: string, headDim: number): void {
  const refuse = (what: string): never => {
    throw new ByteifyError(`${where}: this model cannot be converted: ${what}.`, {
      hint: 'Plain rope of whole heads and llama3 scaling (Llama 3.1 and later) can be.',
    });
  };
  const turned = numberAt(keyValues, 'llama.rope.dimension_count') ?? headDim;
  if (turned !== headDim) {
    refuse(
      `its llama.rope.dimension_count is ${turned}, and BLT’s rope turns the whole of a head, which is ${headDim} wide`,
    );
  }
  const type = keyValues.get('llama.rope.scaling.type') ?? 'linear';
  if (type === 'none') return;
  if (type !== 'linear') refuse(`its llama.rope.scaling.type is ${JSON.stringify(type)}`);
  for (const key of ['llama.rope.scaling.factor', 'llama.rope.scale_linear']) {
    const factor = numberAt(keyValues, key) ?? 1;
    if (factor !== 1 && factor !== 0) refuse(`its ${key} is ${factor}`);
  }
}

/**
 * @param vocabSize rows of the embedding; @param tied whether the file has no head of its own; @param ropeDivisors the tensor `rope_freqs.weight`.
 * @throws ByteifyError when the architecture is not Llama, its rope is another, or a key is missing.
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
  const headDim = numberAt(keyValues, 'llama.attention.key_length') ?? hidden / heads;
  refuseOtherRope(keyValues, where, headDim);
  const scaling = ropeDivisors === null ? null : llama3Scaling(ropeDivisors, { theta, headDim, where });
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabSize,
    hidden_size: hidden,
    num_hidden_layers: need('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: numberAt(keyValues, 'llama.attention.head_count_kv') ?? heads,
    head_dim: headDim,
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
