/** @module Builds the parts of a tokenizer.json that byteify writes, in the form that the Rust library `tokenizers` reads. */

/** The contents of tokenizer.json and tokenizer_config.json. */
export interface TokenizerFiles {
  readonly tokenizerJson: object;
  readonly tokenizerConfig: object;
}

/** An entry of `added_tokens`. */
export function addedToken(id: number, content: string, special = true): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

/** The post-processor `bos $A`, which puts BOS before every text. */
export function beginWith(id: number, content: string): object {
  const template = [{ SpecialToken: { id: content, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  return {
    type: 'TemplateProcessing',
    single: template,
    pair: [...template, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
}

/** A pre-tokenizer that maps bytes to characters. @param useRegex whether it also splits GPT-2's words */
export function byteLevel(useRegex: boolean): object {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
}

/** A decoder that maps characters back to bytes. It ignores the flags, which are those that the library writes. */
export const BYTE_LEVEL_DECODER: object = {
  type: 'ByteLevel',
  add_prefix_space: true,
  trim_offsets: true,
  use_regex: true,
};

/** A BPE model. @param tokens with their ids @param options fields that differ from plain BPE */
export function bpeModel(
  tokens: Iterable<readonly [token: string, id: number]>,
  merges: readonly (readonly [string, string])[],
  options: object = {},
): object {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...options,
    vocab: Object.fromEntries(tokens),
    merges,
  };
}
