import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteifyError } from '../../src/errors.js';
import { loadTokenizer, tokenizerFromGguf } from '../../src/tokenizer/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOKENIZER_KINDS } from '../support/tokenizer-kinds.js';
import { TEXTS } from '../support/tokenizer-texts.js';
import { byteLevel, byteLevelValues, sentencePieceValues, writeTokenizer } from './samples.js';

const folder = temporaryFolder();
const TINY = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.constantFrom('<s>', '<|begin|>', '<|end|>', ' ', '\n', '▁', '<0x41>', 'the ', '½', '\ufeff'))
    .map((all) => all.join('')),
);

describe.each([
  ['byte-level', () => byteLevelValues({ 'ggml.pre': 'llama-bpe', 'ggml.bos_token_id': 0 }), ''],
  ['SentencePiece', () => sentencePieceValues(), ' '],
] as const)('a %s tokenizer', (_kind, keyValues, prefix) => {
  it('encodes a text into tokens with its bytes, decodes them, and treats tokens written in it as text', async () => {
    await writeTokenizer(folder(), tokenizerFromGguf(keyValues()));
    const { encode, decode, tokenBytes, bosId } = await loadTokenizer(folder());
    fc.assert(
      fc.property(texts, (text) => {
        const ids = encode(text);
        const bytes = Buffer.concat(ids.map((id) => tokenBytes(id)));
        // SentencePiece writes a space as ▁, so a ▁ of the text comes back as a space.
        const spelled = prefix === '' ? text : text.replaceAll('▁', ' ');
        expect(bytes.toString()).toBe(text === '' ? '' : prefix + spelled);
        expect(decode(ids)).toBe(spelled);
        expect(ids).not.toContain(bosId);
      }),
      { numRuns: 300 },
    );
  });

  it('has every token, and no other', async () => {
    await writeTokenizer(folder(), tokenizerFromGguf(keyValues()));
    const { tokenBytes, vocabSize, decode } = await loadTokenizer(folder());
    expect(vocabSize).toBe(600);
    for (let id = 0; id < vocabSize; id++) expect(tokenBytes(id).length).toBeGreaterThan(0);
    expect(() => tokenBytes(600)).toThrow(/has no token 600/);
    expect(() => decode([-1])).toThrow(ByteifyError);
    expect(decode([])).toBe('');
  });
});

it('the tiny Llama’s tokenizer is read from the repository', async () => {
  const { encode, decode, bosId, addsBos, vocabSize } = await loadTokenizer(TINY);
  expect([bosId, addsBos, vocabSize]).toEqual([0, false, 1024]);
  expect(decode(encode('A function’s <|end|> of 12 ½'))).toBe('A function’s <|end|> of 12 ½');
});

it('byte tokens and special tokens have their bytes, and added tokens their text', async () => {
  await writeTokenizer(folder(), tokenizerFromGguf(sentencePieceValues()));
  const pieces = await loadTokenizer(folder());
  expect([...pieces.tokenBytes(3 + 0xc3)]).toEqual([0xc3]);
  expect(Buffer.from(pieces.tokenBytes(1)).toString()).toBe('<s>');
  expect(pieces.decode([3 + 0xc3, 3 + 0xa9])).toBe('é');
  expect(pieces.decode([3 + 0xc3])).toBe('\ufffd');

  const { tokenizerJson, tokenizerConfig } = tokenizerFromGguf(byteLevelValues());
  const added = { id: 600, content: 'éß', normalized: false, special: false };
  const extended = { ...tokenizerJson, added_tokens: [added] };
  await writeTokenizer(folder(), { tokenizerJson: extended, tokenizerConfig });
  const bytes = await loadTokenizer(folder());
  expect(bytes.vocabSize).toBe(601);
  expect(bytes.encode('éß')).toEqual([600]);
  expect(bytes.decode([600])).toBe('éß');
});

it('spells says whether tokens spell a text', async () => {
  const load = async (tokenizerJson: object) => {
    await writeTokenizer(folder(), { tokenizerJson, tokenizerConfig: {} });
    const { encode, spells } = await loadTokenizer(folder());
    return (text: string) => spells(text, encode(text));
  };
  const bytes = await load(TOKENIZER_KINDS['byte-level BPE of Llama 3']!);
  const pieces = await load(TOKENIZER_KINDS['SentencePiece BPE of Llama 2']!);
  for (const text of TEXTS) expect([text, bytes(text), pieces(text)]).toEqual([text, true, true]);
  const lossy = await load(TOKENIZER_KINDS['Unigram without byte fallback']!);
  expect(['the class', ' the class', '日本語'].map(lossy)).toEqual([true, true, false]);
  const lowered = await load(TOKENIZER_KINDS['byte-level BPE, NFD and no accents']!);
  expect(['café', 'cafe', 'A'].map(lowered)).toEqual([false, true, false]);
});

it('numbers of every script are digits, as in the Rust library', async () => {
  // A vocabulary with a token that spans a space and a non-ASCII digit: Digits must split them first.
  const [tokens, merges] = [
    [...byteLevel.tokens, 'ĠÂ'],
    [...byteLevel.merges, 'Ġ Â'],
  ];
  const types = tokens.map(() => 1);
  const encoded = async (pre: string) => {
    const more = { 'ggml.pre': pre, 'ggml.tokens': tokens, 'ggml.merges': merges, 'ggml.token_type': types };
    await writeTokenizer(folder(), tokenizerFromGguf(byteLevelValues(more)));
    return (await loadTokenizer(folder())).encode(' ½')[0];
  };
  expect(await encoded('gpt-2')).toBe(600);
  expect(await encoded('smollm')).toBe(tokens.indexOf('Ġ'));
});

describe('BOS', () => {
  const begins = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<|end|>' } }, { Sequence: { id: 'A' } }],
  };
  it.each<[string, object | null, object, object, number | null, boolean]>([
    ['is named and added by the post-processor', begins, { bos_token: '<|end|>' }, {}, 0, true],
    [
      'is added by a post-processor among others',
      { type: 'Sequence', processors: [{ type: 'ByteLevel' }, begins] },
      { bos_token: { content: '<|end|>' } },
      {},
      0,
      true,
    ],
    ['is named and not added', null, { bos_token: '<|end|>' }, {}, 0, false],
    ['is added because the configuration says so', null, { bos_token: '<|end|>', add_bos_token: true }, {}, 0, true],
    ['is not added for the same reason', begins, { bos_token: '<|end|>', add_bos_token: false }, {}, 0, false],
    ['is named by the model’s configuration only', begins, {}, { bos_token_id: 0 }, 0, true],
    ['is named in no file', null, {}, {}, null, false],
    ['is not a token', null, { bos_token: '<none>' }, { bos_token_id: 7000 }, null, false],
  ])('%s', async (_what, post_processor, tokenizerConfig, config, bosId, addsBos) => {
    const { tokenizerJson } = tokenizerFromGguf(byteLevelValues());
    await writeTokenizer(folder(), { tokenizerJson: { ...tokenizerJson, post_processor }, tokenizerConfig });
    await writeFile(join(folder(), 'config.json'), JSON.stringify(config));
    const tokenizer = await loadTokenizer(folder());
    expect([tokenizer.bosId, tokenizer.addsBos]).toEqual([bosId, addsBos]);
  });
});

describe('a tokenizer is refused that', () => {
  const json = tokenizerFromGguf(byteLevelValues()).tokenizerJson;
  it.each<[string, string | null, RegExp]>([
    ['is absent', null, /contains no tokenizer.json/],
    ['is not JSON', '{', /tokenizer.json is not JSON/],
    ['is not an object', '[]', /is not a JSON object/],
    ['lacks its parts', '{"added_tokens":[],"decoder":{"type":"ByteLevel"}}', /cannot be used/],
    ['has another decoder', JSON.stringify({ ...json, decoder: { type: 'WordPiece' } }), /neither byte-level nor/],
    ['adds tokens without ids', JSON.stringify({ ...json, added_tokens: [{ content: 'a' }] }), /whose id or content/],
    ['is a model of unknown type', JSON.stringify({ ...json, model: { type: 'Guess' } }), /cannot be used/],
  ])('%s', async (_what, text, message) => {
    if (text !== null) await writeFile(join(folder(), 'tokenizer.json'), text);
    const error = await loadTokenizer(folder()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ByteifyError);
    expect((error as ByteifyError).message).toMatch(message);
  });
});
