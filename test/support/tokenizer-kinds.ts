/** Contents of tokenizer.json of every supported kind, over the vocabularies of test/fixtures/tokenizer. */
import { byteToken } from '../../src/tokenizer/encoding/byte-tokens.js';
import { tokenizerFromGguf } from '../../src/tokenizer/index.js';
import { addedToken } from '../../src/tokenizer/tokenizer-json.js';
import { byteLevel, byteLevelValues, CHARSMAP, sentencePiece, sentencePieceValues } from '../tokenizer/samples.js';

type Json = Record<string, unknown>;

const jsonOf = (values: Parameters<typeof tokenizerFromGguf>[0]) => tokenizerFromGguf(values).tokenizerJson as Json;
const BYTES = jsonOf(byteLevelValues({ 'ggml.pre': 'llama-bpe' }));
const PIECES = jsonOf(sentencePieceValues());

const isolated = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const GPT2 = { ...BYTE_LEVEL, use_regex: true };
const replaceSpaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const metaspace = (scheme: string, split: boolean) => ({
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme: scheme,
  split,
});

/** Expressions of well-known models, and syntax that Oniguruma has but JavaScript lacks. */
const EXPRESSIONS = {
  'cl100k, possessive':
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
  o200k:
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  qwen2:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  'an atomic group that gives nothing back': '(?>a|ab)c|(?>[a-c]+)c|\\w+',
  'possessive quantifiers that give nothing back': '[a-c]++c|\\w?+b|x*+x|.',
  'lines and words': '^.|\\w+\\b|[[:punct:]&&[^a]]|$',
  'runs of three': '.{3}',
};
const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

const pieces = (more: Json, model: Json = {}): Json => ({
  ...PIECES,
  ...more,
  model: { ...(PIECES.model as Json), ...model },
});
const bytes = (more: Json, model: Json = {}): Json => ({
  ...BYTES,
  ...more,
  model: { ...(BYTES.model as Json), ...model },
});

const UNIGRAM_BASE: readonly (readonly [string, number])[] = [
  ['<unk>', 0],
  ['<s>', 0],
  ['</s>', 0],
];
const BYTE_TOKENS = Array.from({ length: 256 }, (_, byte) => [byteToken(byte), 0] as const);
const isPiece = (_: string, id: number) => sentencePiece.types[id] === 1;
/** BPE's scores count merges; any numbers serve as logarithms of probabilities here. */
const SCORED = sentencePiece.tokens.filter(isPiece).map((piece, i) => [piece, -4 - Math.log1p(i)] as const);

function unigram(model: Json, more: Json = {}): Json {
  const vocab =
    model.byte_fallback === true ? [...UNIGRAM_BASE, ...BYTE_TOKENS, ...SCORED] : [...UNIGRAM_BASE, ...SCORED];
  return {
    ...PIECES,
    added_tokens: [],
    ...more,
    model: { type: 'Unigram', unk_id: 0, vocab, byte_fallback: false, ...model },
  };
}

const added = (id: number, content: string, more: Json = {}) => ({ ...addedToken(id, content, false), ...more });
const ADDED = (first: number) => [
  added(first, '<|im_start|>'),
  added(first + 1, '<|im_start|>user'),
  added(first + 2, 'word', { single_word: true }),
  added(first + 3, '<l>', { lstrip: true }),
  added(first + 4, '<r>', { rstrip: true }),
  added(first + 5, 'Ünïcode', { normalized: true }),
  added(first + 6, '<special>', { special: true }),
  added(first + 7, '  ', { normalized: true }),
];

const withoutTokens = (vocab: unknown, left: (token: string) => boolean) =>
  Object.fromEntries(Object.entries(vocab as Record<string, number>).filter(([token]) => !left(token)));
const PIECES_WITHOUT_BYTES = Object.fromEntries(
  Object.keys(withoutTokens((PIECES.model as Json).vocab, (token) => /^<0x/.test(token))).map((token, id) => [
    token,
    id,
  ]),
);

export const TOKENIZER_KINDS: Readonly<Record<string, Json>> = {
  'byte-level BPE of Llama 3': BYTES,
  'byte-level BPE of GPT-2': bytes({ pre_tokenizer: GPT2 }),
  'byte-level BPE, a space before each text': bytes({ pre_tokenizer: { ...GPT2, add_prefix_space: true } }),
  'byte-level BPE, digits one by one': bytes({
    pre_tokenizer: sequence({ type: 'Digits', individual_digits: true }, GPT2),
  }),
  'byte-level BPE, digits together': bytes({
    pre_tokenizer: sequence({ type: 'Digits', individual_digits: false }, GPT2),
  }),
  'byte-level BPE, punctuation': bytes({
    pre_tokenizer: sequence({ type: 'Punctuation', behavior: 'Isolated' }, GPT2),
  }),
  'byte-level BPE, punctuation together': bytes({
    pre_tokenizer: sequence({ type: 'Punctuation', behavior: 'Contiguous' }, BYTE_LEVEL),
  }),
  'byte-level BPE, words': bytes({ pre_tokenizer: sequence({ type: 'Whitespace' }, BYTE_LEVEL) }),
  'byte-level BPE, between spaces': bytes({ pre_tokenizer: sequence({ type: 'WhitespaceSplit' }, BYTE_LEVEL) }),
  'byte-level BPE, BERT’s words': bytes({ pre_tokenizer: sequence({ type: 'BertPreTokenizer' }, BYTE_LEVEL) }),
  'byte-level BPE, at a character': bytes({
    pre_tokenizer: sequence({ type: 'CharDelimiterSplit', delimiter: 'e' }, BYTE_LEVEL),
  }),
  'byte-level BPE, five by five': bytes({ pre_tokenizer: sequence({ type: 'FixedLength', length: 5 }, BYTE_LEVEL) }),
  ...Object.fromEntries(
    Object.entries(EXPRESSIONS).map(([name, regex]) => [
      `byte-level BPE, ${name}`,
      bytes({ pre_tokenizer: sequence(isolated(regex), BYTE_LEVEL) }),
    ]),
  ),
  ...Object.fromEntries(
    BEHAVIORS.flatMap((behavior) =>
      [true, false].map((invert) => [
        `byte-level BPE, split ${behavior}${invert ? ', inverted' : ''}`,
        bytes({
          pre_tokenizer: sequence({ type: 'Split', pattern: { Regex: '[aeiou]|\\s' }, behavior, invert }, BYTE_LEVEL),
        }),
      ]),
    ),
  ),
  'byte-level BPE, split at a text': bytes({
    pre_tokenizer: sequence(
      { type: 'Split', pattern: { String: 'th' }, behavior: 'MergedWithPrevious', invert: false },
      BYTE_LEVEL,
    ),
  }),
  'byte-level BPE, empty matches': bytes({ pre_tokenizer: sequence(isolated('e*'), BYTE_LEVEL) }),
  'byte-level BPE, bytes by its normalizer': bytes({ normalizer: { type: 'ByteLevel' }, pre_tokenizer: null }),
  'byte-level BPE, NFC': bytes({ normalizer: { type: 'NFC' } }),
  'byte-level BPE, NFD and no accents': bytes({
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }, { type: 'Lowercase' }] },
  }),
  'byte-level BPE, NFKC': bytes({ normalizer: { type: 'NFKC' } }),
  'byte-level BPE, NFKD': bytes({ normalizer: { type: 'NFKD' } }),
  'byte-level BPE, stripped and cleaned': bytes({
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'Strip', strip_left: true, strip_right: true }, { type: 'Nmt' }],
    },
  }),
  'byte-level BPE, replaced': bytes({
    normalizer: { type: 'Replace', pattern: { Regex: '[aeiou]+' }, content: '$&$1' },
  }),
  'byte-level BPE without its merges ignored': bytes({}, { ignore_merges: false }),
  'byte-level BPE that lacks a letter': bytes(
    {},
    { vocab: withoutTokens((BYTES.model as Json).vocab, (t) => t === 'z') },
  ),
  'byte-level BPE with added tokens': bytes({ added_tokens: ADDED(byteLevel.tokens.length) }),
  'byte-level BPE with added tokens, NFC': bytes({
    normalizer: { type: 'NFC' },
    added_tokens: ADDED(byteLevel.tokens.length),
  }),
  'SentencePiece BPE of Llama 2': PIECES,
  'SentencePiece BPE, unknown characters one by one': pieces({}, { byte_fallback: false, fuse_unk: false }),
  'SentencePiece BPE, unknown characters together': pieces({}, { byte_fallback: false }),
  'SentencePiece BPE without byte tokens': pieces(
    { added_tokens: [] },
    { vocab: PIECES_WITHOUT_BYTES, fuse_unk: false },
  ),
  'SentencePiece BPE, no unknown token': pieces({}, { byte_fallback: false, unk_token: null }),
  ...Object.fromEntries(
    ['first', 'never', 'always'].flatMap((scheme) =>
      [true, false].flatMap((split) => [
        [
          `SentencePiece BPE, Metaspace ${scheme}${split ? ', split' : ''}`,
          pieces(
            { normalizer: null, pre_tokenizer: metaspace(scheme, split), added_tokens: ADDED(600) },
            { fuse_unk: false, byte_fallback: false },
          ),
        ],
        [
          `Unigram, Metaspace ${scheme}${split ? ', split' : ''}`,
          unigram({ byte_fallback: true }, { normalizer: null, pre_tokenizer: metaspace(scheme, split) }),
        ],
      ]),
    ),
  ),
  'SentencePiece BPE, added tokens': pieces({ added_tokens: ADDED(600) }),
  'SentencePiece BPE, Metaspace of old': pieces({
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
  }),
  'Unigram with byte fallback': unigram({ byte_fallback: true }),
  'Unigram without byte fallback': unigram({}),
  'Unigram, no spaces': unigram({ byte_fallback: true }, { normalizer: replaceSpaces }),
  'Unigram, equal scores': unigram({
    byte_fallback: true,
    vocab: [...UNIGRAM_BASE, ...BYTE_TOKENS, ...SCORED.map(([piece]) => [piece, -5])],
  }),
  ...Object.fromEntries(
    [true, false].map((fallsBack) => [
      `Unigram${fallsBack ? ' with byte fallback' : ''}, rules of its own`,
      unigram(
        { byte_fallback: fallsBack },
        {
          normalizer: {
            type: 'Sequence',
            normalizers: [{ type: 'Precompiled', precompiled_charsmap: CHARSMAP }, replaceSpaces],
          },
        },
      ),
    ]),
  ),
  'Unigram, NFKC': unigram(
    { byte_fallback: true },
    { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, replaceSpaces] } },
  ),
};
