/** @module The parts of a tokenizer.json that are written here, as the Rust library tokenizers reads them. */

/** Contents of tokenizer.json and tokenizer_config.json. */
export interface TokenizerFiles {
  readonly tokenizerJson: object;
  readonly tokenizerConfig: object;
}

/** An entry of `added_tokens`. */
export function addedToken(id: number, content: string, special = true): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

/** A post-processor: `bos $A`, which puts BOS before every text. */
export function beginWith(id: number, content: string): object {
  const template = [{ SpecialToken: { id: content, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  return {
    type: 'TemplateProcessing',
    single: template,
    pair: [...template, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
}

/** Bytes as characters; with the expression, words as GPT-2 cuts them. */
export function byteLevel(useRegex: boolean): object {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
}

/** Characters as bytes. The flags mean nothing here; they are what the library itself writes. */
export const BYTE_LEVEL_DECODER: object = {
  type: 'ByteLevel',
  add_prefix_space: true,
  trim_offsets: true,
  use_regex: true,
};

/** @param tokens by id; @param options what differs from plain BPE. */
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
