import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ByteifyError } from '../../../src/errors.js';
import { createEncoder, refuseTokenizer } from '../../../src/tokenizer/index.js';
import { TOKENIZER_KINDS } from '../../support/tokenizer-kinds.js';
import { TEXTS } from '../../support/tokenizer-texts.js';

const fixture = new URL('../../fixtures/tokenizer/encoded.json', import.meta.url);
/** The Rust library's ids, written by test/peers/encode.test.ts. */
const expected = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, number[][]>;

type Json = Record<string, unknown>;
const refuse = refuseTokenizer('my-model/tokenizer.json');
const BYTES = TOKENIZER_KINDS['byte-level BPE of Llama 3']!;
const UNIGRAM = TOKENIZER_KINDS['Unigram with byte fallback']!;
const withModel = (json: Json, model: Json): Json => ({ ...json, model: { ...(json.model as Json), ...model } });
const split = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });

function refusalOf(json: Json, text = '', deadlineMs = 500): ByteifyError {
  try {
    createEncoder(json, refuse, deadlineMs).encode(text);
  } catch (error) {
    expect(error).toBeInstanceOf(ByteifyError);
    return error as ByteifyError;
  }
  throw new Error('it was not refused');
}

describe('ids equal the Rust library’s for', () => {
  it.each(Object.entries(TOKENIZER_KINDS))('%s', (kind, tokenizer) => {
    const { encode } = createEncoder(tokenizer, refuse);
    expect(Object.fromEntries(TEXTS.map((text) => [text, encode(text)]))).toEqual(
      Object.fromEntries(TEXTS.map((text, i) => [text, expected[kind]![i]])),
    );
  });
});

describe('special tokens written in a text are text', () => {
  it('in a Unigram vocabulary, whose search could match them whole', () => {
    const special = { id: 1, content: '<s>', single_word: false, lstrip: false, rstrip: false, normalized: false };
    const { encode } = createEncoder({ ...UNIGRAM, added_tokens: [{ ...special, special: true }] }, refuse);
    expect(encode('a<s>b')).not.toContain(1);
    expect(createEncoder(UNIGRAM, refuse).encode('a<s>b')).toContain(1);
  });
});

describe('an expression or part without end', () => {
  it.each([
    ['of a pre-tokenizer', { pre_tokenizer: split('(a+)+$') }],
    ['of a normalizer', { normalizer: { type: 'Replace', pattern: { Regex: '(a|a)*$' }, content: 'b' } }],
  ])('(%s) is stopped, and its file named', (_, more) => {
    const text = `${'a'.repeat(60)}b${'x'.repeat(60)}z`;
    const began = performance.now();
    const { message, hint } = refusalOf({ ...BYTES, ...more }, text);
    expect(message).toMatch(
      /^The tokenizer my-model\/tokenizer\.json cannot be used: its expressions did not process \d+ characters in 0\.5 s\.$/,
    );
    expect(hint).toMatch(/another copy/);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('is stopped even if it is applied to added tokens when the file is read', () => {
    const added = { id: 600, content: `${'a'.repeat(60)}b`, normalized: true, special: false };
    const normalizer = { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: 'b' };
    expect(refusalOf({ ...BYTES, normalizer, added_tokens: [added] }).message).toMatch(/did not process/);
  });

  it('is refused if it is nested without end', () => {
    let normalizer: object = { type: 'NFC' };
    for (let depth = 0; depth < 20_000; depth++) normalizer = { type: 'Sequence', normalizers: [normalizer] };
    expect(refusalOf({ ...BYTES, normalizer }).message).toMatch(/needs too many resources/);
  });

  it('is refused before it fills the memory if it multiplies the text', () => {
    const times = { type: 'Replace', pattern: { String: 'x' }, content: 'x'.repeat(64) };
    const normalizer = { type: 'Sequence', normalizers: new Array(9).fill(times) };
    expect(refusalOf({ ...BYTES, normalizer }, 'x'.repeat(100)).message).toMatch(/makes \d+ characters of 100/);
  });
});

describe('a tokenizer is refused', () => {
  const added = (id: number, content: string): Json => ({
    added_tokens: [{ id, content, special: false, normalized: false }],
  });
  it.each<[string, Json, RegExp]>([
    [
      'for a normalizer that is not known',
      { ...BYTES, normalizer: { type: 'BertNormalizer' } },
      /normalizer BertNormalizer is not supported/,
    ],
    [
      'for a pre-tokenizer that is not known',
      { ...BYTES, pre_tokenizer: { type: 'UnicodeScripts' } },
      /pre-tokenizer UnicodeScripts is not supported/,
    ],
    [
      'for one named like an inherited property',
      { ...BYTES, pre_tokenizer: { type: 'constructor' } },
      /pre-tokenizer constructor is not supported/,
    ],
    [
      'for a behaviour that is not known',
      { ...BYTES, pre_tokenizer: { ...split('a'), behavior: 'Guessed' } },
      /Split has an invalid behavior/,
    ],
    [
      'for another replacement of spaces',
      { ...BYTES, pre_tokenizer: { type: 'Metaspace', replacement: '_' } },
      /invalid replacement: only ▁/,
    ],
    [
      'for an expression that cannot be translated',
      { ...BYTES, pre_tokenizer: split('a\\Kb') },
      /"a\\\\Kb" uses syntax that is not supported/,
    ],
    ['for a broken expression', { ...BYTES, pre_tokenizer: split('a(') }, /cannot be compiled/],
    [
      'for damaged rules',
      { ...BYTES, normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } },
      /precompiled_charsmap is damaged/,
    ],
    ['as WordPiece', withModel(BYTES, { type: 'WordPiece' }), /model WordPiece is neither BPE nor Unigram/],
    ['as WordLevel', withModel(BYTES, { type: 'WordLevel' }), /model WordLevel is neither/],
    ['for dropout', withModel(BYTES, { dropout: 0.1 }), /skips merges at random \(dropout 0\.1\)/],
    ['for the ends of words', withModel(BYTES, { end_of_word_suffix: '</w>' }), /end_of_word_suffix is not supported/],
    [
      'for a merge of an unknown token',
      withModel(BYTES, { merges: [['a', 'zzz']] }),
      /merge \["a","zzz"\] names "zzz"/,
    ],
    ['for a merge into an unknown token', withModel(BYTES, { merges: ['z Q'] }), /merge "z Q" names "zQ"/],
    ['for a merge of three', withModel(BYTES, { merges: ['a b c'] }), /"a b c" is not a pair/],
    [
      'for two tokens with one id',
      withModel(BYTES, { vocab: { a: 0, b: 0 }, merges: [] }),
      /"a" and "b" both have the id 0/,
    ],
    ['for an invalid id', withModel(BYTES, { vocab: { a: 1e12 }, merges: [] }), /"a" has the id 1000000000000/],
    [
      'for an unknown token outside the vocabulary',
      withModel(BYTES, { vocab: { a: 0 }, merges: [], unk_token: '<unk>' }),
      /unk_token "<unk>" is not in/,
    ],
    ['without an unknown token', withModel(UNIGRAM, { unk_id: null }), /unk_id is missing/],
    [
      'with an unknown token beyond its vocabulary',
      withModel(UNIGRAM, { unk_id: 99_999 }),
      /unk_id 99999 is not a token/,
    ],
    ['with invalid scores', withModel(UNIGRAM, { vocab: [['a', null]] }), /invalid vocab/],
    [
      'for an added token with another id in the vocabulary',
      { ...BYTES, ...added(9, 'class') },
      /"class" has the id 9, where its vocabulary gives it \d+/,
    ],
    [
      'for an added token with the id of another',
      { ...BYTES, ...added(9, '<new>') },
      /"<new>" has the id 9, where the vocabulary ends at 600/,
    ],
    [
      'for an added token beyond a gap',
      { ...BYTES, ...added(900, '<new>') },
      /"<new>" has the id 900, where the vocabulary ends at 600/,
    ],
    ['for an added token with no id', { ...BYTES, added_tokens: [{ content: 'x' }] }, /whose id or content/],
  ])('%s', (_, json, reason) => {
    const { message, hint } = refusalOf(json);
    expect(message).toMatch(reason);
    expect(message).toMatch(/^The tokenizer my-model\/tokenizer\.json cannot be used: /);
    expect(hint).toBeTruthy();
  });
});
