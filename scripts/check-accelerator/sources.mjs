// The source models of the shipped recipes, from their published configurations.
const shared = {
  model_type: 'llama',
  hidden_act: 'silu',
  rms_norm_eps: 1e-5,
  max_position_embeddings: 131_072,
  bos_token_id: 0,
  eos_token_id: 1,
  torch_dtype: 'bfloat16',
};

const llama3 = (sizes) => ({ ...shared, vocab_size: 128_256, rope_theta: 500_000, num_key_value_heads: 8, ...sizes });

/** config.json by the beginning of a recipe's name. */
export const SOURCES = {
  tiny: {
    ...shared,
    vocab_size: 1024,
    hidden_size: 128,
    num_hidden_layers: 6,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 352,
    rope_theta: 10_000,
    tie_word_embeddings: true,
  },
  'smollm2-135m': {
    ...shared,
    vocab_size: 49_152,
    hidden_size: 576,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    intermediate_size: 1536,
    rope_theta: 100_000,
    tie_word_embeddings: true,
  },
  'llama-3.2-1b': llama3({
    hidden_size: 2048,
    num_hidden_layers: 16,
    num_attention_heads: 32,
    intermediate_size: 8192,
    tie_word_embeddings: true,
  }),
  'llama-3.2-3b': llama3({
    hidden_size: 3072,
    num_hidden_layers: 28,
    num_attention_heads: 24,
    intermediate_size: 8192,
    tie_word_embeddings: true,
  }),
  'llama-3.1-8b': llama3({
    hidden_size: 4096,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    intermediate_size: 14_336,
    tie_word_embeddings: false,
  }),
};

export const sourceOf = (recipe) => SOURCES[recipe.replace(/-paper$/, '')];
