/** @module The tokenizer files of a BLT: bytes at their ids, as transformers' AutoTokenizer loads them (blt-format 3.3). */
import { BOE, BOS, BPE_DELIMITER, BYTE_OFFSET, EOS } from '../blt/index.js';
import { BYTE_CHARACTERS } from './byte-characters.js';

const SPECIALS = [
  [BOE, '<boe>'],
  [BOS, '<s>'],
  [EOS, '</s>'],
  [BPE_DELIMITER, '<bpe>'],
] as const;

const MAX_BYTES = 24_576;

export interface TokenizerFiles {
  readonly tokenizerJson: object;
  readonly tokenizerConfig: object;
}

/** An entry of `added_tokens`. */
export function addedToken(id: number, content: string, special = true): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

/** `bos $A`, which puts BOS before every text. */
export function beginWith(id: number, content: string): object {
  const template = [{ SpecialToken: { id: content, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  return {
    type: 'TemplateProcessing',
    single: template,
    pair: [...template, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
}

/** tokenizer.json, tokenizer_config.json and special_tokens_map.json. A literal `<s>` in a text becomes BOS, as with any such tokenizer. */
export function byteTokenizerFiles(): TokenizerFiles & { readonly specialTokensMap: object } {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const special = { bos_token: '<s>', eos_token: '</s>', pad_token: '<boe>' };
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: SPECIALS.map(([id, content]) => addedToken(id, content)),
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: beginWith(BOS, '<s>'),
      decoder: byteLevel,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries([
          ...SPECIALS.map(([id, content]) => [content, id]),
          ...BYTE_CHARACTERS.map((character, byte) => [character, byte + BYTE_OFFSET]),
        ]),
        merges: [],
      },
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...special,
      clean_up_tokenization_spaces: false,
      model_max_length: MAX_BYTES,
      model_input_names: ['input_ids', 'attention_mask'],
    },
    specialTokensMap: special,
  };
}
