/** @module Builds the tokenizer files of a BLT, which map bytes to their ids, for transformers' AutoTokenizer (blt-format 3.3). */
import { BOE, BOS, BPE_DELIMITER, BYTE_OFFSET, EOS, encodeBytes } from '../blt/index.js';
import { BYTE_CHARACTERS } from './byte-characters.js';
import {
  addedToken,
  BYTE_LEVEL_DECODER,
  beginWith,
  bpeModel,
  byteLevel,
  type TokenizerFiles,
} from './tokenizer-json.js';

const SPECIALS: readonly (readonly [content: string, id: number])[] = [
  ['<boe>', BOE],
  ['<s>', BOS],
  ['</s>', EOS],
  ['<bpe>', BPE_DELIMITER],
];

/** The written form of a special id; null for the id of a byte. */
export const specialContent = (id: number): string | null =>
  SPECIALS.find(([, special]) => special === id)?.[0] ?? null;

/** Matches the written form of a special id. */
const SPECIAL = new RegExp(`(${SPECIALS.map(([content]) => content).join('|')})`);

/** The ids of a text, as an export's tokenizer gives them: special tokens that are written out become their ids. */
export function encodeWithSpecials(text: string): number[] {
  const idOf = new Map(SPECIALS);
  return text.split(SPECIAL).flatMap((part) => idOf.get(part) ?? [...encodeBytes(Buffer.from(part), { bos: false })]);
}

/** The text of ids, as an export's tokenizer gives it: special tokens are written out, and invalid UTF-8 becomes U+FFFD. */
export const decodeWithSpecials = (ids: readonly number[]): string =>
  Buffer.concat(ids.map((id) => Buffer.from(specialContent(id) ?? [id - BYTE_OFFSET]))).toString('utf8');

const MAX_BYTES = 24_576;

/** tokenizer.json, tokenizer_config.json and special_tokens_map.json. A literal `<s>` in a text becomes BOS, as with other tokenizers of transformers. */
export function byteTokenizerFiles(): TokenizerFiles & { readonly specialTokensMap: object } {
  const special = { bos_token: '<s>', eos_token: '</s>', pad_token: '<boe>' };
  const bytes = BYTE_CHARACTERS.map((character, byte) => [character, byte + BYTE_OFFSET] as const);
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: SPECIALS.map(([content, id]) => addedToken(id, content)),
      normalizer: null,
      pre_tokenizer: byteLevel(false),
      post_processor: beginWith(BOS, '<s>'),
      decoder: BYTE_LEVEL_DECODER,
      model: bpeModel([...SPECIALS, ...bytes], []),
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
