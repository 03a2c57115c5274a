/** @module Pre-tokenizers of byte-level tokenizers, by their names in `tokenizer.ggml.pre` (llama.cpp, llama-vocab.cpp). */
import { byteLevel } from './tokenizer-json.js';

export interface PreTokenizer {
  readonly preTokenizer: object;
  /** Whether a word in the vocabulary becomes one token without merging. */
  readonly ignoreMerges: boolean;
  /** Whether texts begin with BOS when the file does not say. */
  readonly addsBos: boolean;
}

const isolated = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });

/** Llama 3's words, as in its own tokenizer.json. */
const LLAMA3_WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const LLAMA3: PreTokenizer = {
  preTokenizer: sequence(isolated(LLAMA3_WORDS), byteLevel(false)),
  ignoreMerges: true,
  addsBos: true,
};

/** Splits off runs of punctuation, then GPT-2's words, then digits in groups of three. For files that name no pre-tokenizer. */
const DEFAULT: PreTokenizer = {
  preTokenizer: sequence(
    isolated('[\\p{P}$+<=>^~|]+'),
    isolated("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"),
    isolated('\\p{N}+'),
    isolated('[0-9][0-9][0-9]'),
    byteLevel(false),
  ),
  ignoreMerges: false,
  addsBos: false,
};

export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ['default', DEFAULT],
  ['gpt-2', { preTokenizer: byteLevel(true), ignoreMerges: false, addsBos: false }],
  [
    'smollm',
    {
      preTokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)),
      ignoreMerges: false,
      addsBos: false,
    },
  ],
  ['llama-bpe', LLAMA3],
  ['llama3', LLAMA3],
  ['llama-v3', LLAMA3],
  ['falcon3', LLAMA3],
  ['smaug-bpe', { ...LLAMA3, ignoreMerges: false, addsBos: false }],
]);
