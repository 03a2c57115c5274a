import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOS, BYTE_OFFSET, EOS, encodeBytes, VOCAB_SIZE } from '../../src/blt/index.js';
import { scoreTexts } from '../../src/evaluate/index.js';
import { type ChatPrompts, type Generator, openGenerator, textPrompt } from '../../src/generate/index.js';
import { tokenOf } from '../../src/serve/logprobs-format.js';
import { decodeWithSpecials, encodeWithSpecials } from '../../src/tokenizer/index.js';
import { residentGolden } from '../support/resident-golden.js';
import { appOf, chunksOf, LIMITS } from './ask.js';
import type { FakeGenerator } from './fake-generator.js';

const COMPLETIONS = '/v1/completions';
const TEXT = 'Ça va? A text with a beginning that several prompts share, so that it is read once: ';
const chat: ChatPrompts = {
  close: () => undefined,
  promptOf: async (messages) => textPrompt(Buffer.from(messages.map(({ content }) => content).join(''))),
};

interface LegacyLogprobs {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Record<string, number> | null)[];
  readonly text_offset: number[];
}

describe('log-probabilities', () => {
  const golden = residentGolden('plain/blt');
  let generator: Generator;
  beforeAll(() => {
    generator = openGenerator(golden.resident, { slots: 3, mode: 'eager' });
  });
  afterAll(() => generator.close());
  const app = () => appOf(generator as FakeGenerator, { chat, limits: { ...LIMITS, waiting: 64 } });
  async function complete(body: object) {
    const { status, body: answer } = await app().ask(COMPLETIONS, { temperature: 0, ...body });
    expect([status, answer.error]).toEqual([200, undefined]);
    return answer.choices.map((choice) => ({ ...choice, logprobs: choice.logprobs as unknown as LegacyLogprobs }));
  }
  const scored = (text: string) =>
    Array.from(scoreTexts(golden.model.params, golden.model.config, [Buffer.from(text)])[0]!.nllNats, (nats) => -nats);

  it('of a prompt are those of the whole text, with the first null, and exactly one of a generated id', async () => {
    const [choice] = await complete({ prompt: TEXT, echo: true, logprobs: 2, max_tokens: 1 });
    const { tokens, token_logprobs: values, top_logprobs: tops, text_offset: offsets } = choice!.logprobs;
    const ids = encodeBytes(Buffer.from(TEXT));
    expect(tokens.slice(0, ids.length)).toEqual(Array.from(ids, tokenOf));
    expect([tokens.length, values.length, tops.length, offsets.length]).toEqual(new Array(4).fill(ids.length + 1));
    expect([values[0], tops[0]]).toEqual([null, null]);
    for (const [i, wanted] of scored(TEXT).entries()) expect(values[i + 1]).toBeCloseTo(wanted, 3);
    tops.slice(1).forEach((top, i) => {
      const own = values[i + 1]!;
      // The likeliest two, and the id itself: a client finds out by equality whether it was the likeliest.
      expect(top![tokens[i + 1]!]).toBe(own);
      expect(Object.keys(top!).length).toBeLessThanOrEqual(3);
      expect(Math.max(...Object.values(top!))).toBeGreaterThanOrEqual(own);
    });
    // The generated id is the likeliest.
    expect(values.at(-1)).toBe(Math.max(...Object.values(tops.at(-1)!)));
    expect(choice!.text!.startsWith(TEXT)).toBe(true);
    // BOS, then "Ç" (two bytes), "a": places count characters.
    expect(offsets.slice(0, 4)).toEqual([0, 0, 0, 1]);
    expect(offsets.at(-1)).toBe([...TEXT].length);
  });

  it('need no generated id', async () => {
    const [choice] = await complete({ prompt: TEXT, echo: true, logprobs: 0, max_tokens: 0 });
    expect(choice).toMatchObject({ text: TEXT, finish_reason: 'length' });
    expect(choice!.logprobs.tokens.length).toBe(encodeBytes(Buffer.from(TEXT)).length);
    expect(Object.keys(choice!.logprobs.top_logprobs[1]!)).toEqual([choice!.logprobs.tokens[1]]);
    const [plain] = await complete({ prompt: TEXT, echo: true, max_tokens: 0 });
    expect(plain).toMatchObject({ text: TEXT, logprobs: null });
  });

  it('of ids are those of the ids as they are, without BOS before them', async () => {
    const ids = [...encodeBytes(Buffer.from('abc'))];
    const [withBos, without] = await complete({ prompt: [ids, ids.slice(1)], echo: true, logprobs: 1, max_tokens: 0 });
    const [text] = await complete({ prompt: 'abc', echo: true, logprobs: 1, max_tokens: 0 });
    expect(withBos!.logprobs).toEqual(text!.logprobs);
    expect(without!.logprobs.tokens).toEqual(['a', 'b', 'c']);
    expect(without!.logprobs.token_logprobs[0]).toBeNull();
  });

  it.each([1, 2])('of a batch are those of its prompts one by one, with %i texts each', async (n) => {
    const prompts = ['yes', 'no, and something longer', '', 'yes'].map((end) => TEXT + end);
    const options = { echo: true, logprobs: 1, max_tokens: 6, n };
    const before = generator.state().promptBytes;
    const together = await complete({ prompt: prompts, ...options });
    const read = generator.state().promptBytes - before;
    const single = (await Promise.all(prompts.map((prompt) => complete({ prompt, ...options })))).flat();
    expect(together.map(({ index }) => index)).toEqual(single.map((_, i) => i));
    together.forEach((choice, i) => {
      expect(choice.text).toBe(single[i]!.text);
      expect(choice.logprobs.tokens).toEqual(single[i]!.logprobs.tokens);
      choice.logprobs.token_logprobs.forEach((value, at) => {
        if (at > 0) expect(value).toBeCloseTo(single[i]!.logprobs.token_logprobs[at]!, 3);
      });
    });
    // The common beginning was read once.
    const whole = prompts.reduce((sum, prompt) => sum + Buffer.byteLength(prompt) + 1, 0);
    expect(read).toBeLessThan(whole / 2);
    expect(generator.state()).toMatchObject({ running: 0, waiting: 0 });
  });

  it('come with the bytes of a stream, whose parts make up the whole', async () => {
    const body = { prompt: TEXT, echo: true, logprobs: 1, max_tokens: 5, temperature: 0 };
    const [whole] = await complete(body);
    const response = await app().post(COMPLETIONS, { ...body, stream: true });
    const chunks = chunksOf(await response.text());
    const parts = chunks.map(({ choices }) => choices[0]!.logprobs as unknown as LegacyLogprobs | null);
    const joined = (key: keyof LegacyLogprobs): unknown[] => parts.flatMap((part): unknown[] => part?.[key] ?? []);
    for (const key of ['tokens', 'token_logprobs', 'top_logprobs', 'text_offset'] as const)
      expect(joined(key)).toEqual(whole!.logprobs[key]);
    expect(chunks.map(({ choices }) => choices[0]!.text ?? '').join('')).toBe(whole!.text);
  });

  it('of a chat are those of the reply', async () => {
    const messages = [{ role: 'user', content: 'Hello' }];
    const options = { messages, max_tokens: 3, temperature: 0, logprobs: true, top_logprobs: 2 };
    const { body } = await app().ask('/v1/chat/completions', options);
    const { content } = body.choices[0]!.logprobs as unknown as {
      content: {
        token: string;
        logprob: number;
        bytes: number[];
        top_logprobs: { token: string; logprob: number }[];
      }[];
    };
    expect(content.length).toBe(3);
    for (const { token, logprob, bytes, top_logprobs: top } of content) {
      expect(top[0]).toMatchObject({ token, logprob });
      expect(top.length).toBe(2);
      expect(bytes.length).toBe(1);
    }
  });
});

describe('tokens', () => {
  it('have distinct texts', () => {
    const texts = Array.from({ length: VOCAB_SIZE }, (_, id) => tokenOf(id));
    expect(new Set(texts).size).toBe(VOCAB_SIZE);
    expect([tokenOf(EOS), tokenOf(BYTE_OFFSET + 0x41), tokenOf(BYTE_OFFSET + 0xc3)]).toEqual([
      '</s>',
      'A',
      'bytes:\\xc3',
    ]);
  });

  it('are those of the export’s tokenizer, with special tokens that are written out', async () => {
    const text = 'a<s>ç</s>';
    const ids = [0x61 + 4, BOS, 0xc3 + 4, 0xa7 + 4, EOS];
    expect(encodeWithSpecials(text)).toEqual(ids);
    expect(decodeWithSpecials(ids)).toBe(text);
    const { ask, app } = appOf(undefined, { chatTemplate: '{{ messages }}' });
    expect((await ask('/tokenize', { prompt: text })).body).toMatchObject({ count: 6, tokens: [BOS, ...ids] });
    expect((await ask('/tokenize', { prompt: text, add_special_tokens: false })).body).toMatchObject({ tokens: ids });
    expect((await ask('/detokenize', { tokens: ids })).body).toEqual({ prompt: text });
    expect((await ask('/detokenize', { tokens: [260] })).status).toBe(400);
    expect((await ask('/tokenize', { prompt: 'x'.repeat(1001) })).status).toBe(400);
    const info = await app.request('/tokenizer_info');
    expect(await info.json()).toMatchObject({ bos_token: '<s>', eos_token: '</s>', chat_template: '{{ messages }}' });
    const guarded = appOf(undefined, { key: 'secret' });
    for (const path of ['/tokenizer_info', '/tokenize', '/detokenize'])
      expect((await guarded.app.request(path, { method: path === '/tokenizer_info' ? 'GET' : 'POST' })).status).toBe(
        401,
      );
  });
});
