// config.json of the shipped recipes' source models.
import { SOURCE_SIZES } from '../../bench/source-sizes.mjs';
import { parseLlamaConfig } from '../../dist/llama/index.js';

/** What their published configurations say beside the sizes. Llama 3.1 70B has no recipe yet. */
const VOCABULARIES = {
  tiny: { vocab_size: 1024, tie_word_embeddings: true },
  'smollm2-135m': { vocab_size: 49_152, tie_word_embeddings: true },
  'llama-3.2-1b': { vocab_size: 128_256, tie_word_embeddings: true },
  'llama-3.2-3b': { vocab_size: 128_256, tie_word_embeddings: true },
  'llama-3.1-8b': { vocab_size: 128_256, tie_word_embeddings: false },
  'llama-3.1-70b': { vocab_size: 128_256, tie_word_embeddings: false },
};

/** @param {keyof typeof VOCABULARIES} name */
function configOf(name) {
  const { hiddenSize, layers, heads, kvHeads, intermediateSize, rmsNormEps, rope } =
    SOURCE_SIZES[name === 'tiny' ? 'tiny-llama' : name];
  return {
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: hiddenSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    intermediate_size: intermediateSize,
    rms_norm_eps: rmsNormEps,
    rope_theta: rope.theta,
    max_position_embeddings: 131_072,
    bos_token_id: 0,
    eos_token_id: 1,
    torch_dtype: 'bfloat16',
    ...VOCABULARIES[name],
  };
}

/** By the beginning of a recipe's name. */
export const SOURCES = {
  tiny: configOf('tiny'),
  'smollm2-135m': configOf('smollm2-135m'),
  'llama-3.2-1b': configOf('llama-3.2-1b'),
  'llama-3.2-3b': configOf('llama-3.2-3b'),
  'llama-3.1-8b': configOf('llama-3.1-8b'),
};

/** @param {string} recipe its name, or that of a source that has no recipe */
export const sourceOf = (recipe) =>
  parseLlamaConfig(configOf(/** @type {keyof typeof VOCABULARIES} */ (recipe.replace(/-paper$/, ''))), 'config.json');
