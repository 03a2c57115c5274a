/** @module Tensors that no Llama has, and what each reveals about the checkpoint that contains it. */
import { CONVERTIBLE } from './config.js';

export interface ForeignKind {
  readonly name: RegExp;
  /** Completes the message "it contains the tensor NAME, ...". */
  readonly what: string;
  readonly hint: string;
}

const UNQUANTISED = 'Use the checkpoint that it was quantised from, or a GGUF file.';
const UNWRAP = 'Save the wrapped model with its own save_pretrained; transformers does not read such names either.';
const MERGE = 'Merge the adapter into its base model with peft’s merge_and_unload() and save the result.';
const LANGUAGE_MODEL = 'Use the causal language model that it was made from.';

/** The first match applies: a wrapped adapter of a quantised model counts as an adapter. */
export const FOREIGN_KINDS: readonly ForeignKind[] = [
  {
    name: /(^|\.)lora_|\.(ia3_l|hada_w|lokr_w|oft_|boft_|vera_lambda|randlora_)|(^|\.)(prompt_embeddings|prompt_encoder)/,
    what: 'a part of an adapter',
    hint: MERGE,
  },
  { name: /\.(base_layer|modules_to_save)\./, what: 'named as peft wraps a model that has an adapter', hint: MERGE },
  {
    name: /(^|\.)(score|classifier|qa_outputs|v_head|value_head|reward_head|regression_head)\./,
    what: 'the head of a model that classifies or scores text instead of predicting it',
    hint: LANGUAGE_MODEL,
  },
  {
    name: /\.(qweight|qzeros|g_idx)$/,
    what: 'a weight quantised by GPTQ or AWQ, which its config does not mention',
    hint: UNQUANTISED,
  },
  {
    name: /\.(absmax|quant_map|nested_absmax|nested_quant_map|quant_state\.\w+|SCB|weight_format)$/,
    what: 'written by bitsandbytes for a quantised weight, which its config does not mention',
    hint: UNQUANTISED,
  },
  {
    name: /(?:^|\.)((weight|input|output|activation|k|v|q|kv)_(scale|zero_point)(_inv|_2)?|weight_(packed|shape|g_idx|global_scale)|input_global_scale|(input_)?scales?|zeros?|scaling_factor|W_q)$/,
    what: 'the scale or another part of a quantised weight, which its config does not mention',
    hint: UNQUANTISED,
  },
  {
    name: /(^|\.)_orig_mod\./,
    what: 'named as torch.compile wraps a model',
    hint: UNWRAP,
  },
  {
    name: /(^|\.)(_fsdp_wrapped_module|_checkpoint_wrapped_module|_flat_param|flat_param)\b/,
    what: 'named as FSDP wraps a model',
    hint: UNWRAP,
  },
  { name: /^module\./, what: 'named as DataParallel or DeepSpeed wraps a model', hint: UNWRAP },
  { name: /^base_model\.model\./, what: 'named as peft wraps a model', hint: MERGE },
  {
    name: /^(model\.)?(language_model|vision_tower|visual|multi_modal_projector|audio_tower)\./,
    what: 'a part of a model that also reads images or sound',
    hint: LANGUAGE_MODEL,
  },
  {
    name: /^(layers\.\d+\.(attention\.w|feed_forward\.w|attention_norm|ffn_norm)|tok_embeddings\.|output\.weight$)/,
    what: 'named as in Meta’s own checkpoints',
    hint: 'Use the model in transformers’ format. The hub has both; Meta’s own format is in the folder original/.',
  },
  { name: /\.bias$/, what: 'a bias, but BLT’s layers have none', hint: CONVERTIBLE },
  {
    name: /\.experts\.|block_sparse_moe|\.mlp\.gate\.weight$|\.router\./,
    what: 'a part of a mixture of experts, but BLT’s global transformer has one feed-forward network per layer',
    hint: CONVERTIBLE,
  },
  {
    name: /\.self_attn\.[qk]_norm\./,
    what: 'a norm of queries or keys, which BLT’s attention does not have',
    hint: CONVERTIBLE,
  },
  {
    name: /\.(qkv_proj|gate_up_proj|c_attn|c_fc|query_key_value|W_pack)\./,
    what: 'several projections in one, as in other architectures',
    hint: CONVERTIBLE,
  },
];

/** Rotary frequencies and their tables. Old checkpoints store them, but every reader computes them from the config. */
export const ROTARY_BUFFER = /(^|\.)rotary_emb\.(inv_freq|original_inv_freq|cos_cached|sin_cached)$/;
