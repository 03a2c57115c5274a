import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBytes } from '../../src/blt/index.js';
import type { ChatPrompts } from '../../src/generate/index.js';
import { appOf, LIMITS } from './ask.js';
import { fakeGenerator } from './fake-generator.js';

const chat: ChatPrompts = {
  async promptOf(messages) {
    return { ids: [...encodeBytes(Buffer.from(messages.map(({ content }) => content).join('')))], stops: [] };
  },
  close: () => undefined,
};

/** Values that break programs: numbers at the limits of their types and beyond, and texts and lists that are too long. */
const numbers = fc.oneof(
  fc.constantFrom(
    '1e9',
    '1e15',
    '1e308',
    '1e400',
    '-1',
    '-0',
    '0',
    '0.5',
    '1',
    '2',
    '4294967296',
    '9007199254740993',
    '5e-324',
    '-1e400',
  ),
  fc.double({ noNaN: true }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
);
const nested = fc.tuple(fc.constantFrom('[', '{"a":'), fc.integer({ min: 1, max: 3000 })).map(([open, depth]) => {
  const close = open === '[' ? ']' : '}';
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
});
const long = fc
  .tuple(fc.constantFrom('1', '""', '{}', '"a"'), fc.integer({ min: 0, max: 4000 }))
  .map(([element, count]) => `[${new Array(count).fill(element).join()}]`);
const values = fc.oneof(
  numbers,
  nested,
  long,
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constantFrom('null', 'true', 'false', '""', '"\\ud800"'),
);
const NUMBERS = [
  'n',
  'best_of',
  'max_tokens',
  'max_completion_tokens',
  'seed',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'logprobs',
  'top_logprobs',
  'presence_penalty',
  'frequency_penalty',
  'repetition_penalty',
];
const FIELDS = [
  ...NUMBERS,
  'stop',
  'prompt',
  'messages',
  'model',
  'stream',
  'stream_options',
  'logit_bias',
  'metadata',
  'tools',
  'byteify',
  '__proto__',
  'constructor',
  'user',
];
const messages = fc.oneof(
  values,
  fc
    .array(fc.tuple(values, values), { maxLength: 3 })
    .map((all) => `[${all.map(([role, content]) => `{"role":${role},"content":${content}}`).join()}]`),
  fc.constant('[{"role":"user","content":"a"}]'),
);
const bodies = fc
  .tuple(
    fc.constantFrom('prompt', 'messages'),
    fc.oneof(fc.constant('"a"'), values),
    messages,
    fc.dictionary(fc.constantFrom(...FIELDS), values, { maxKeys: 3, noNullPrototype: true }),
  )
  .map(([kind, prompt, conversation, more]) => ({
    path: kind === 'prompt' ? '/v1/completions' : '/v1/chat/completions',
    body: `{"${kind}":${kind === 'prompt' ? prompt : conversation}${Object.entries(more)
      .map(([key, value]) => `,"${key}":${value}`)
      .join('')}}`,
  }));

describe('whatever a body contains,', () => {
  it('it is answered, or refused as the client’s error, and the server continues', async () => {
    const { app, post, ask, failures } = appOf(undefined, { chat });
    await fc.assert(
      fc.asyncProperty(bodies, async ({ path, body }) => {
        const response = await post(path, body);
        await response.text();
        expect([200, 400, 404, 413], body.slice(0, 300)).toContain(response.status);
      }),
      { numRuns: 500 },
    );
    expect(failures).toEqual([]);
    expect((await app.request('/health')).status).toBe(200);
    expect((await ask('/v1/completions', { prompt: 'a' })).status).toBe(200);
  });

  it.each(NUMBERS)('%s of any size causes no large allocation', async (field) => {
    for (const value of ['1e9', '1e15', '4294967296', '1e308', '1e400', '-1e9']) {
      const generator = fakeGenerator(() => 'ab');
      const before = process.memoryUsage().rss;
      const response = await appOf(generator, { chat }).post('/v1/completions', `{"prompt":"a","${field}":${value}}`);
      // Seeds may be large, because nothing is allocated from them.
      expect([field === 'seed' ? 200 : 400, 400], `${field} ${value}`).toContain(response.status);
      expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
      if (response.status === 400) expect(generator.requests).toEqual([]);
    }
  });

  it('a list of many invalid elements is refused for its length, not element by element', async () => {
    const { ask } = appOf(undefined, { chat, limits: { ...LIMITS, bodyBytes: 1_048_576 } });
    const parts = `[${new Array(300_000).fill('{}').join()}]`;
    for (const [path, body, param] of [
      ['/v1/chat/completions', `{"messages":${parts}}`, 'messages'],
      ['/v1/chat/completions', `{"messages":[{"role":"user","content":${parts}}]}`, 'messages.0.content'],
      ['/v1/completions', `{"prompt":${parts}}`, 'prompt'],
      ['/v1/completions', `{"prompt":"a","stop":${parts}}`, 'stop'],
    ] as const) {
      const { status, body: answer } = await ask(path, body);
      expect([status, (answer.error as { param?: string }).param]).toEqual([400, param]);
      expect(answer.error.message.length).toBeLessThan(200);
    }
  });
});
