/** The sizes of SmolLM2-135M, without its weights. */
import { parseLlamaConfig } from '../../src/llama/index.js';

/** The keys of its `config.json` that determine sizes. */
export const SMOLLM2_JSON = {
  model_type: 'llama',
  vocab_size: 49_152,
  hidden_size: 576,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  tie_word_embeddings: true,
} as const;

export const SMOLLM2 = parseLlamaConfig(SMOLLM2_JSON, 'config.json');
