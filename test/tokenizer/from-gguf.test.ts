import { describe, expect, it } from 'vitest';
import { ByteifyError } from '../../src/errors.js';
import type { GgufValue } from '../../src/gguf/index.js';
import { loadTokenizer, tokenizerFromGguf } from '../../src/tokenizer/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { byteLevel, byteLevelValues, sentencePiece, sentencePieceValues, writeTokenizer } from './samples.js';

const folder = temporaryFolder();

async function loaded(keyValues: ReadonlyMap<string, GgufValue>) {
  await writeTokenizer(folder(), tokenizerFromGguf(keyValues));
  return loadTokenizer(folder());
}

describe('the tokenizer of a GGUF file', () => {
  it.each(Object.entries(byteLevel.cases))(
    'with the pre-tokenizer %s encodes like the Rust library',
    async (pre, cases) => {
      const tokenizer = await loaded(byteLevelValues({ 'ggml.pre': pre }));
      for (const { text, ids } of cases) expect([text, tokenizer.encode(text)]).toEqual([text, ids]);
    },
  );

  it('with SentencePiece’s scores encodes like SentencePiece', async () => {
    const tokenizer = await loaded(sentencePieceValues());
    for (const { text, ids } of sentencePiece.cases) expect([text, tokenizer.encode(text)]).toEqual([text, ids]);
  });

  it('without add_space_prefix adds no space', async () => {
    const prefixed = await loaded(sentencePieceValues());
    const plain = await loaded(sentencePieceValues({ 'ggml.add_space_prefix': false }));
    const zero = await loaded(sentencePieceValues({ 'ggml.add_space_prefix': 0 }));
    expect(zero.encode(' the class')).toEqual(prefixed.encode('the class'));
    expect(plain.encode(' the class')).toEqual(prefixed.encode('the class'));
    expect(plain.decode(plain.encode(' the class'))).toBe(' the class');
  });

  it('that names no pre-tokenizer splits like llama.cpp’s default', async () => {
    const tokenizer = await loaded(byteLevelValues());
    for (const { text, ids } of byteLevel.cases.default!) expect(tokenizer.encode(text)).toEqual(ids);
  });

  it.each([
    ['llama-bpe', [600]],
    ['smaug-bpe', [...'qzx'].map((letter) => byteLevel.tokens.indexOf(letter))],
  ])('of %s handles a word that no merge makes accordingly', async (pre, ids) => {
    const [tokens, types] = [
      [...byteLevel.tokens, 'qzx'],
      [...byteLevel.types, 1],
    ];
    const tokenizer = await loaded(
      byteLevelValues({ 'ggml.pre': pre, 'ggml.tokens': tokens, 'ggml.token_type': types }),
    );
    expect(tokenizer.encode('qzx')).toEqual(ids);
  });

  it('never merges text into control or byte tokens', async () => {
    const tokens = [
      '<unk>',
      '<s>',
      '</s>',
      '<0x41>',
      '▁',
      '<',
      's',
      '>',
      '<s',
      '</',
      '</s',
      '/',
      '<0x41',
      '0',
      'x',
      '4',
      '1',
    ];
    const more = ['<0', '<0x', '<0x4'];
    const all = [...tokens, ...more];
    const types = all.map((_, id) => [2, 3, 3, 6][id] ?? 1);
    const scores = all.map((_, id) => -id);
    const values = { 'ggml.tokens': all, 'ggml.scores': scores, 'ggml.token_type': types };
    const { encode, decode } = await loaded(sentencePieceValues(values));
    const ids = encode('<s></s><0x41>');
    expect(ids.map((id) => all[id])).toEqual(['▁', '<s', '>', '</s', '>', '<0x41', '>']);
    expect(decode(ids)).toBe('<s></s><0x41>');
  });

  it('keeps special ids, user-defined tokens and the chat template', () => {
    const end = byteLevel.tokens.indexOf('<|end|>');
    const user = byteLevel.tokens.indexOf('class');
    const types = byteLevel.types.map((type, id) => (id === user ? 4 : type));
    const { tokenizerJson, tokenizerConfig } = tokenizerFromGguf(
      byteLevelValues({
        'ggml.pre': 'smollm',
        'ggml.token_type': types,
        'ggml.eos_token_id': end,
        'ggml.padding_token_id': end,
        chat_template: '{{ messages }}',
      }),
    );
    expect(tokenizerConfig).toMatchObject({
      eos_token: '<|end|>',
      pad_token: '<|end|>',
      chat_template: '{{ messages }}',
      add_bos_token: false,
    });
    expect(tokenizerConfig).not.toHaveProperty('bos_token');
    expect(tokenizerJson).toMatchObject({
      post_processor: null,
      added_tokens: [
        { id: end, content: '<|end|>', special: true },
        { id: user, content: 'class', special: false },
      ],
    });
  });

  it.each<[string, Map<string, GgufValue>, boolean, number | null]>([
    ['SentencePiece’s, which llama.cpp begins with 1', sentencePieceValues(), true, 1],
    ['SentencePiece’s that says no by a zero', sentencePieceValues({ 'ggml.add_bos_token': 0 }), false, 1],
    [
      'GPT-2’s that says yes by a one',
      byteLevelValues({ 'ggml.pre': 'gpt-2', 'ggml.bos_token_id': 0n, 'ggml.add_bos_token': 1 }),
      true,
      0,
    ],
    ['SentencePiece’s that says no', sentencePieceValues({ 'ggml.add_bos_token': false }), false, 1],
    ['Llama 3’s', byteLevelValues({ 'ggml.pre': 'llama-bpe', 'ggml.bos_token_id': 0 }), true, 0],
    ['Llama 3’s without a BOS', byteLevelValues({ 'ggml.pre': 'llama-bpe' }), false, null],
    ['GPT-2’s', byteLevelValues({ 'ggml.pre': 'gpt-2', 'ggml.bos_token_id': 0 }), false, 0],
    [
      'GPT-2’s that says yes',
      byteLevelValues({ 'ggml.pre': 'gpt-2', 'ggml.bos_token_id': 0, 'ggml.add_bos_token': true }),
      true,
      0,
    ],
  ])('says whether texts begin with BOS: %s', async (_what, keyValues, addsBos, bosId) => {
    const { tokenizerJson } = tokenizerFromGguf(keyValues);
    expect((tokenizerJson as { post_processor: unknown }).post_processor !== null).toBe(addsBos);
    const tokenizer = await loaded(keyValues);
    expect([tokenizer.addsBos, tokenizer.bosId]).toEqual([addsBos, bosId]);
  });
});

describe('a GGUF file’s tokenizer is refused', () => {
  const { tokens } = byteLevel;
  it.each<[string, Map<string, GgufValue>, RegExp]>([
    ['when there is none', new Map(), /there is none/],
    ['of another kind', byteLevelValues({ 'ggml.model': 'bert' }), /kind "bert" is unknown/],
    [
      'of a kind named like an inherited property',
      byteLevelValues({ 'ggml.model': 'constructor' }),
      /kind "constructor"/,
    ],
    ['with an unknown pre-tokenizer', byteLevelValues({ 'ggml.pre': 'tekken' }), /pre-tokenizer "tekken" is unknown/],
    [
      'with a pre-tokenizer named like an inherited property',
      byteLevelValues({ 'ggml.pre': 'toString' }),
      /pre-tokenizer "toString"/,
    ],
    ['without tokens', new Map([['tokenizer.ggml.model', 'llama']]), /lacks tokenizer.ggml.tokens/],
    ['with numbers for tokens', byteLevelValues({ 'ggml.tokens': [1, 2] }), /ggml.tokens is not a list/],
    [
      'with a token twice',
      byteLevelValues({ 'ggml.tokens': [...tokens.slice(1), tokens[9]!] }),
      /tokens 8 and 599 are/,
    ],
    ['with too few types', byteLevelValues({ 'ggml.token_type': [1] }), /token_type has 1 value for 600 tokens/],
    ['without scores', sentencePieceValues({ 'ggml.scores': 'none' }), /ggml.scores is not a list/],
    [
      'with an invalid score',
      sentencePieceValues({ 'ggml.scores': sentencePiece.scores.map(() => Number.NaN) }),
      /ggml.scores/,
    ],
    ['with a merge of one part', byteLevelValues({ 'ggml.merges': ['ab'] }), /merge "ab" does not join two tokens/],
    [
      'with a merge into an unknown token',
      byteLevelValues({ 'ggml.merges': ['Z Z'] }),
      /merge "Z Z" does not join two tokens/,
    ],
    [
      'with an id beyond its tokens',
      byteLevelValues({ 'ggml.eos_token_id': 600 }),
      /eos_token_id is 600, but it has 600/,
    ],
    ['with an id that is text', byteLevelValues({ 'ggml.eos_token_id': 'end' }), /eos_token_id is not a number/],
  ])('%s', (_what, keyValues, message) => {
    expect(() => tokenizerFromGguf(keyValues)).toThrow(ByteifyError);
    expect(() => tokenizerFromGguf(keyValues)).toThrow(message);
  });
});
