/** @module A GGUF file's tokenizer in the form of transformers' tokenizer.json. */
import { ByteifyError } from '../errors.js';
import type { GgufValue } from '../gguf/index.js';
import { addedToken, beginWith, type TokenizerFiles } from './byte-tokenizer.js';

type KeyValues = ReadonlyMap<string, GgufValue>;

/** llama.cpp's token types (llama.h, llama_token_type). */
const CONTROL = 3;
const USER_DEFINED = 4;

const byteLevel = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});

/** Llama 3's words, as its own tokenizer.json has them. */
const LLAMA3_WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

interface PreTokenizer {
  readonly preTokenizer: object;
  /** Whether a word that is in the vocabulary is taken whole, without merging. */
  readonly ignoreMerges: boolean;
}

/** By `tokenizer.ggml.pre`. */
const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  'gpt-2': { preTokenizer: byteLevel(true), ignoreMerges: false },
  smollm: {
    preTokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)] },
    ignoreMerges: false,
  },
  'llama-bpe': {
    preTokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: LLAMA3_WORDS }, behavior: 'Isolated', invert: false },
        byteLevel(false),
      ],
    },
    ignoreMerges: true,
  },
};

function list<T extends GgufValue>(keyValues: KeyValues, key: string): T[] {
  const value = keyValues.get(key);
  if (!Array.isArray(value))
    throw new ByteifyError(`the GGUF file lacks its tokenizer’s ${key}`, { hint: 'Use the transformers checkpoint.' });
  return value as T[];
}

function bpeModel(tokens: readonly string[], merges: readonly (readonly [string, string])[], options: object): object {
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
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges,
  };
}

function byteLevelParts(keyValues: KeyValues, tokens: readonly string[]): object {
  const pre = keyValues.get('tokenizer.ggml.pre') ?? 'default';
  const found = typeof pre === 'string' ? PRE_TOKENIZERS[pre] : undefined;
  if (found === undefined) {
    throw new ByteifyError(`The GGUF file’s pre-tokenizer ${JSON.stringify(pre)} is not known.`, {
      hint: `Known are ${Object.keys(PRE_TOKENIZERS).join(', ')}; use the transformers checkpoint for others.`,
    });
  }
  const merges = list<string>(keyValues, 'tokenizer.ggml.merges').map((merge): [string, string] => {
    const space = merge.indexOf(' ', 1);
    return [merge.slice(0, space), merge.slice(space + 1)];
  });
  return {
    normalizer: null,
    pre_tokenizer: found.preTokenizer,
    decoder: byteLevel(true),
    model: bpeModel(tokens, merges, { ignore_merges: found.ignoreMerges }),
  };
}

/** Every way to make a piece of two others; the best piece first, among its ways the one with the longest first part. */
function mergesFromScores(tokens: readonly string[], scores: readonly number[]): [string, string][] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const ways = tokens.flatMap((token, id) => {
    const characters = [...token];
    const found: { left: string; right: string; score: number }[] = [];
    for (let cut = 1; cut < characters.length; cut++) {
      const [left, right] = [characters.slice(0, cut).join(''), characters.slice(cut).join('')];
      if (ids.has(left) && ids.has(right)) found.push({ left, right, score: scores[id]! });
    }
    return found;
  });
  ways.sort((a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length);
  return ways.map(({ left, right }) => [left, right]);
}

function sentencePieceParts(keyValues: KeyValues, tokens: readonly string[]): object {
  const scores = list<number>(keyValues, 'tokenizer.ggml.scores');
  const prefixed = keyValues.get('tokenizer.ggml.add_space_prefix') !== false;
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const unknown = Number(keyValues.get('tokenizer.ggml.unknown_token_id') ?? 0);
  return {
    normalizer: { type: 'Sequence', normalizers: prefixed ? [{ type: 'Prepend', prepend: '▁' }, replace] : [replace] },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: bpeModel(tokens, mergesFromScores(tokens, scores), {
      byte_fallback: true,
      fuse_unk: true,
      unk_token: tokens[unknown] ?? null,
    }),
  };
}

const KINDS: Readonly<Record<string, (keyValues: KeyValues, tokens: readonly string[]) => object>> = {
  gpt2: byteLevelParts,
  llama: sentencePieceParts,
};

/** @throws ByteifyError when the file has no tokenizer, or one of a kind that is not known. */
export function tokenizerFromGguf(keyValues: KeyValues): TokenizerFiles {
  const kind = keyValues.get('tokenizer.ggml.model');
  const parts = typeof kind === 'string' ? KINDS[kind] : undefined;
  if (parts === undefined) {
    throw new ByteifyError(`The GGUF file’s tokenizer ${JSON.stringify(kind ?? null)} is not known.`, {
      hint: `Known are ${Object.keys(KINDS).join(' and ')}; use the transformers checkpoint for others.`,
    });
  }
  const tokens = list<string>(keyValues, 'tokenizer.ggml.tokens');
  const types = list<number>(keyValues, 'tokenizer.ggml.token_type');
  const tokenAt = (key: string): string | undefined => {
    const id = keyValues.get(key);
    return id === undefined ? undefined : tokens[Number(id)];
  };
  const bosId = keyValues.get('tokenizer.ggml.bos_token_id');
  const bos = tokenAt('tokenizer.ggml.bos_token_id');
  const addsBos = keyValues.get('tokenizer.ggml.add_bos_token') === true && bos !== undefined;
  const template = keyValues.get('tokenizer.chat_template');
  const added = tokens.flatMap((token, id) =>
    types[id] === CONTROL || types[id] === USER_DEFINED ? [addedToken(id, token, types[id] === CONTROL)] : [],
  );
  const special = {
    bos_token: bos,
    eos_token: tokenAt('tokenizer.ggml.eos_token_id'),
    unk_token: tokenAt('tokenizer.ggml.unknown_token_id'),
    pad_token: tokenAt('tokenizer.ggml.padding_token_id'),
  };
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      post_processor: addsBos ? beginWith(Number(bosId), bos) : null,
      ...parts(keyValues, tokens),
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...special,
      add_bos_token: addsBos,
      clean_up_tokenization_spaces: false,
      ...(typeof template === 'string' && { chat_template: template }),
    },
  };
}
