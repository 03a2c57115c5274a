import { describe, expect, it } from 'vitest';
import { encodeBytes } from '../../src/blt/index.js';
import { UsageError } from '../../src/errors.js';
import type { ChatPrompts } from '../../src/generate/index.js';
import { appOf, chunksOf, eventsOf, LIMITS } from './ask.js';
import { fakeGenerator } from './fake-generator.js';

const COMPLETIONS = '/v1/completions';
const CHAT = '/v1/chat/completions';
const idsOf = (text: string) => [...encodeBytes(new TextEncoder().encode(text))];

/** A template that ends replies with a vertical bar. */
const chat: ChatPrompts = {
  close: () => undefined,
  async promptOf(messages) {
    if (messages.some(({ role }) => role === 'assistant')) throw new UsageError('No replies here.', { hint: 'Ask.' });
    return {
      ids: idsOf(messages.map(({ role, content }) => `${role}: ${content}\n`).join('')),
      stops: [new TextEncoder().encode('|')],
    };
  },
};

describe('a completion', () => {
  it('has OpenAI’s format, with bytes for tokens', async () => {
    const { ask } = appOf();
    const { status, body } = await ask(COMPLETIONS, { prompt: 'naïve', model: 'tiny', user: 'me' });
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.stringMatching(/^cmpl-[0-9a-f]{24}$/),
      object: 'text_completion',
      created: expect.any(Number),
      model: 'tiny',
      choices: [{ index: 0, text: 'Bytes.', logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 6, completion_tokens: 6, total_tokens: 12 },
    });
  });

  it('passes the fields on to the generator', async () => {
    const generator = fakeGenerator(() => 'Bytes.');
    const { ask } = appOf(generator);
    const fields = { temperature: 0.5, top_p: 0.9, top_k: 40, min_p: 0.05, repetition_penalty: 1.1, seed: 7 };
    const { body } = await ask(COMPLETIONS, { prompt: ['ab'], max_tokens: 3, stop: ['é', 'x'], ...fields });
    expect(generator.requests).toEqual([
      {
        prompt: idsOf('ab'),
        maxBytes: 3,
        sampling: { temperature: 0.5, topP: 0.9, topK: 40, minP: 0.05, repetitionPenalty: 1.1 },
        seed: 7,
        stops: [Uint8Array.of(0xc3, 0xa9), Uint8Array.of(0x78)],
      },
    ]);
    expect(body.choices[0]).toMatchObject({ text: 'Byt', finish_reason: 'length' });
  });

  it('treats null as absent, and uses a new seed each time', async () => {
    const generator = fakeGenerator(() => 'Bytes.');
    const { ask } = appOf(generator);
    for (let i = 0; i < 2; i++)
      expect((await ask(COMPLETIONS, { prompt: '', stop: null, temperature: null, stream: null })).status).toBe(200);
    const [one, other] = generator.requests;
    expect(one).toMatchObject({ prompt: [1], maxBytes: 256, sampling: { temperature: 1 }, stops: [] });
    expect(one!.seed).not.toBe(other!.seed);
  });

  it('can have several texts, with the patches of each', async () => {
    const { ask } = appOf(fakeGenerator((_, sample) => ['ab', 'é'][sample]!));
    const { body } = await ask(COMPLETIONS, { prompt: 'a', n: 2, byteify: { patches: true } });
    expect(body.choices).toMatchObject([
      { index: 0, text: 'ab', byteify: { bytes: [97, 98], entropy_nats: [0, 0.3333], begins_patch: [true, false] } },
      { index: 1, text: 'é', byteify: { bytes: [0xc3, 0xa9], begins_patch: [true, false] } },
    ]);
    expect(body.usage).toEqual({ prompt_tokens: 1, completion_tokens: 4, total_tokens: 5 });
  });
});

describe('a stream', () => {
  const streamed = async (path: string, body: object, app = appOf()) => {
    const response = await app.post(path, { ...body, stream: true });
    expect(response.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
    return chunksOf(await response.text());
  };

  it('has OpenAI’s chunks, whose texts add up to the whole', async () => {
    const app = appOf(fakeGenerator(() => 'naïve \xff'));
    const chunks = await streamed(COMPLETIONS, { prompt: 'a' }, app);
    const { body } = await app.ask(COMPLETIONS, { prompt: 'a' });
    expect(chunks.map(({ choices }) => choices[0].text).join('')).toBe(body.choices[0].text);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]).toEqual({
      id: expect.stringMatching(/^cmpl-/),
      object: 'text_completion',
      created: expect.any(Number),
      model: 'tiny',
      choices: [{ index: 0, text: 'n', logprobs: null, finish_reason: null }],
    });
    expect(chunks.map(({ choices }) => choices[0].finish_reason)).toEqual([
      ...new Array(chunks.length - 1).fill(null),
      'stop',
    ]);
  });

  it('never splits a character, nor invents one if the text ends inside it', async () => {
    const bytes = Uint8Array.of(0x61, 0xe6, 0x9d, 0xb1, 0xc3);
    const chunks = await streamed(COMPLETIONS, { prompt: 'a' }, appOf(fakeGenerator(() => bytes)));
    expect(chunks.map(({ choices }) => choices[0].text)).toEqual(['a', '東', '\ufffd']);
  });

  it('ends with the byte counts on request', async () => {
    const chunks = await streamed(COMPLETIONS, { prompt: 'abc', stream_options: { include_usage: true } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 },
    });
  });

  it('has every byte’s entropy and patch on request, even inside characters', async () => {
    const app = appOf(fakeGenerator(() => 'é!'));
    const chunks = await streamed(COMPLETIONS, { prompt: 'a', byteify: { patches: true } }, app);
    expect(chunks.map(({ choices: [{ text, byteify }] }) => [text, byteify.bytes, byteify.begins_patch])).toEqual([
      ['', [0xc3], [true]],
      ['é', [0xa9], [false]],
      ['!', [0x21], [false]],
    ]);
  });

  it('of a conversation begins with the role', async () => {
    const messages = [{ role: 'user', content: 'Hi' }];
    const chunks = await streamed(
      CHAT,
      { messages },
      appOf(
        fakeGenerator(() => 'Ho'),
        { chat },
      ),
    );
    expect(chunks[0]).toMatchObject({ id: expect.stringMatching(/^chatcmpl-/), object: 'chat.completion.chunk' });
    expect(chunks.map(({ choices }) => choices[0].delta)).toEqual([
      { role: 'assistant', content: '' },
      { content: 'H' },
      { content: 'o' },
    ]);
  });

  it('of several texts says to which text each chunk belongs', async () => {
    const app = appOf(fakeGenerator((_, sample) => ['abc', 'xyz'][sample]!));
    const chunks = await streamed(COMPLETIONS, { prompt: 'a', n: 2 }, app);
    const textOf = (index: number) =>
      chunks.flatMap(({ choices: [choice] }) => (choice.index === index ? [choice.text] : [])).join('');
    expect([textOf(0), textOf(1)]).toEqual(['abc', 'xyz']);
  });

  it('that fails has an error status before its first byte, and ends with the error after it', async () => {
    const broken = appOf(fakeGenerator(() => 'abc', { fails: new Error('a secret path') }));
    const early = await broken.ask(COMPLETIONS, { prompt: 'a', stream: true });
    expect(early.status).toBe(500);
    expect(JSON.stringify(early.body)).not.toContain('secret');
    expect(broken.failures).toHaveLength(1);

    const paced = fakeGenerator(() => 'abc', { paced: true });
    const { post, scheduler } = appOf(paced);
    const response = post(COMPLETIONS, { prompt: 'a', stream: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await paced.step();
    const stopped = scheduler.stop(0);
    const events = eventsOf(await (await response).text());
    await stopped;
    expect(JSON.parse(events[0]!).choices[0].text).toBe('a');
    expect(JSON.parse(events[1]!).error).toMatchObject({ message: 'The server is stopping.', code: 'stopping' });
    expect(events).toHaveLength(2);
  });
});

describe('a conversation', () => {
  it('is rendered in the template, whose end of a reply ends the text', async () => {
    const generator = fakeGenerator(() => 'Ho');
    const { ask } = appOf(generator, { chat });
    const messages = [
      { role: 'developer', content: 'Be short.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'H' },
          { type: 'text', text: 'i' },
        ],
      },
    ];
    const { body } = await ask(CHAT, { messages, max_completion_tokens: 9, stop: '!' });
    expect(generator.requests[0]).toMatchObject({
      prompt: idsOf('system: Be short.\nuser: Hi\n'),
      maxBytes: 9,
      stops: [Uint8Array.of(0x7c), Uint8Array.of(0x21)],
    });
    expect(body).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Ho', refusal: null }, finish_reason: 'stop' }],
    });
  });

  it('is refused if the model has no template, or the template rejects it', async () => {
    const messages = [{ role: 'user', content: 'Hi' }];
    expect((await appOf().ask(CHAT, { messages })).body.error).toMatchObject({ code: 'no_chat_template' });
    const replied = await appOf(undefined, { chat }).ask(CHAT, { messages: [{ role: 'assistant', content: 'Ho' }] });
    expect(replied).toMatchObject({ status: 400, body: { error: { message: 'No replies here. Ask.' } } });
  });
});

describe('the server', () => {
  const long = 'é'.repeat(501);
  it.each([
    [
      COMPLETIONS,
      {},
      'prompt',
      'prompt: must be a text, an array of ids below 260, or an array of such texts or arrays.',
    ],
    [
      COMPLETIONS,
      { prompt: ['a', [1]] },
      'prompt',
      'prompt: must be a text, an array of ids below 260, or an array of such texts or arrays.',
    ],
    [
      COMPLETIONS,
      { prompt: [1.5] },
      'prompt',
      'prompt: must be a text, an array of ids below 260, or an array of such texts or arrays.',
    ],
    [COMPLETIONS, { prompt: ['a', long] }, 'prompt', expect.stringContaining('1002 bytes')],
    [COMPLETIONS, { prompt: long }, 'prompt', 'The prompt is 1002 bytes long; this server accepts at most 1000.'],
    [COMPLETIONS, { prompt: 'a', max_tokens: 501 }, 'max_tokens', expect.stringContaining('at most 500 bytes')],
    [COMPLETIONS, { prompt: 'a', max_completion_tokens: 501 }, 'max_completion_tokens', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', max_tokens: -1 }, 'max_tokens', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', temperature: 2.1 }, 'temperature', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', temperature: '1' }, 'temperature', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', n: 3 }, 'n', expect.stringContaining('2 texts at a time')],
    [COMPLETIONS, { prompt: 'a', stop: '' }, 'stop', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', stop: new Array(17).fill('a') }, 'stop', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', echo: 1 }, 'echo', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', logprobs: 257 }, 'logprobs', expect.stringContaining('256, the number of bytes')],
    [COMPLETIONS, { prompt: [1, 260] }, 'prompt.1', expect.stringContaining('<=259')],
    [COMPLETIONS, { prompt: [] }, 'prompt', expect.any(String)],
    [COMPLETIONS, { prompt: [[]] }, 'prompt.0', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', best_of: 2 }, 'best_of', expect.stringContaining('not supported')],
    [COMPLETIONS, { prompt: 'a', suffix: 'z' }, 'suffix', expect.stringContaining('not supported')],
    [COMPLETIONS, { prompt: 'a', logit_bias: { 1: 5 } }, 'logit_bias', expect.stringContaining('not supported')],
    [COMPLETIONS, { prompt: 'a', presence_penalty: 1 }, 'presence_penalty', expect.stringContaining('not supported')],
    [COMPLETIONS, { prompt: 'a', max_token: 5 }, 'max_token', 'max_token is not a field that this server supports.'],
    [COMPLETIONS, { prompt: 'a', byteify: { patch: true } }, 'byteify.patch', expect.any(String)],
    [COMPLETIONS, { prompt: 'a', messages: [] }, 'messages', expect.any(String)],
    [COMPLETIONS, [], null, expect.stringMatching(/^The body: /)],
    [CHAT, { messages: [] }, 'messages', expect.any(String)],
    [CHAT, { messages: [{ role: 'user', content: 'a' }], top_logprobs: 2 }, 'top_logprobs', expect.any(String)],
    [CHAT, { messages: [{ role: 'tool', content: 'a' }] }, 'messages.0.role', expect.any(String)],
    [CHAT, { messages: [{ role: 'user', content: null }] }, 'messages.0.content', expect.any(String)],
    [CHAT, { messages: [{ role: 'user', content: long }] }, 'messages', expect.stringContaining('1002 bytes')],
    [CHAT, { messages: [{ role: 'user', content: 'a' }], tools: [{}] }, 'tools', expect.any(String)],
    [
      CHAT,
      { messages: [{ role: 'user', content: 'a' }], response_format: { type: 'json_object' } },
      'response_format',
      expect.any(String),
    ],
  ])('refuses %s %j', async (path, body, param, message) => {
    const generator = fakeGenerator(() => 'Bytes.');
    const answer = await appOf(generator, { chat }).ask(path, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      error: { message, param, type: 'invalid_request_error', code: answer.body.error.code },
    });
    expect(generator.requests).toEqual([]);
  });

  it('accepts unsupported fields with neutral values', async () => {
    const neutral = { echo: false, logprobs: null, best_of: 1, suffix: '', logit_bias: {}, presence_penalty: 0 };
    expect((await appOf().ask(COMPLETIONS, { prompt: 'a', ...neutral })).status).toBe(200);
    const ofChat = { logprobs: false, tools: [], tool_choice: 'none', response_format: { type: 'text' }, store: true };
    const messages = [{ role: 'user', content: 'a', name: 'me' }];
    expect((await appOf(undefined, { chat }).ask(CHAT, { messages, ...ofChat })).status).toBe(200);
  });

  it('refuses a body that is not JSON, has another content type, or is too large', async () => {
    const { ask, post } = appOf();
    expect(await ask(COMPLETIONS, '{"prompt": "a"')).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_json' } },
    });
    const headers = { 'Content-Type': 'text/plain' };
    expect((await ask(COMPLETIONS, { prompt: 'a' }, { headers })).status).toBe(415);
    const large = JSON.stringify({ prompt: 'a'.repeat(LIMITS.bodyBytes) });
    const told = await ask(COMPLETIONS, large, { headers: { 'Content-Length': String(large.length) } });
    expect(told).toMatchObject({ status: 413, body: { error: { message: expect.stringContaining('20000 bytes') } } });
    const body = new Blob([large]).stream();
    expect((await post(COMPLETIONS, '', { body, duplex: 'half' } as RequestInit)).status).toBe(413);
  });

  it('refuses an unknown model or page', async () => {
    const { ask, app } = appOf();
    expect(await ask(COMPLETIONS, { prompt: 'a', model: 'gpt' })).toMatchObject({
      status: 404,
      body: { error: { param: 'model', code: 'model_not_found', message: expect.stringContaining('tiny') } },
    });
    expect((await app.request('/v1/models/gpt')).status).toBe(404);
    const nothing = await app.request('/v2');
    expect(nothing.status).toBe(404);
    expect(await nothing.json()).toMatchObject({ error: { code: 'unknown_url' } });
  });
});

describe('the key', () => {
  const authorization = (value: string) => ({ headers: { Authorization: value } });

  it('is required for everything below /v1, before anything is read', async () => {
    const { app, ask } = appOf(undefined, { key: 'right' });
    for (const given of [undefined, 'Basic cmlnaHQ6', 'Bearer wrong', 'Bearer ', 'right'])
      expect(
        await ask(COMPLETIONS, 'no JSON', given === undefined ? {} : authorization(given)),
        String(given),
      ).toMatchObject({ status: 401, body: { error: { code: 'invalid_api_key' } } });
    const refused = await app.request('/v1/models');
    expect([refused.status, refused.headers.get('WWW-Authenticate')]).toEqual([401, 'Bearer']);
    expect((await app.request('/v1/models', authorization('Bearer right'))).status).toBe(200);
    expect((await ask(COMPLETIONS, { prompt: 'a' }, authorization('bearer right'))).status).toBe(200);
    expect((await app.request('/health')).status).toBe(200);
  });
});

describe('the app', () => {
  it('lists the model', async () => {
    const { app } = appOf();
    const list = (await (await app.request('/v1/models')).json()) as { data: object[] };
    expect(list).toMatchObject({ object: 'list', data: [{ id: 'tiny', object: 'model', byteify: { chat: false } }] });
    expect(await (await app.request('/v1/models/tiny')).json()).toEqual(list.data[0]);
  });

  it('reports its health', async () => {
    const { app, scheduler } = appOf();
    const idle = { model: 'tiny', slots: 2, running: 0, waiting: 0 };
    expect(await (await app.request('/health')).json()).toEqual({ status: 'ok', ...idle });
    await scheduler.stop(0);
    const stopping = await app.request('/health');
    expect([stopping.status, await stopping.json()]).toEqual([503, { status: 'stopping', ...idle }]);
  });

  it('counts requests by path and status, whatever paths are tried', async () => {
    const { app, ask } = appOf();
    await ask(COMPLETIONS, { prompt: 'a' });
    await ask(COMPLETIONS, {});
    await app.request('/v1/%0a"}');
    await app.request('/other');
    await app.request('/v1/models/model-of-the-test');
    const metrics = await (await app.request('/metrics')).text();
    const lines = metrics.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'byteify_http_requests_total{route="/v1/completions",status="200"} 1',
        'byteify_http_requests_total{route="/v1/completions",status="400"} 1',
        'byteify_http_requests_total{route="other",status="404"} 2',
        'byteify_http_requests_total{route="/v1/models/:name",status="404"} 1',
        'byteify_written_bytes_total 11',
        'byteify_prompt_bytes_total 7',
        'byteify_texts_running 0',
        'byteify_texts_waiting 0',
      ]),
    );
    expect(Number(/^process_resident_memory_bytes (\d+)$/m.exec(metrics)![1])).toBeGreaterThan(1e6);
    expect(
      lines.filter((line) => line !== '' && !/^(# (HELP|TYPE) \w+ .+|\w+({(\w+="[^"]*",?)+})? \S+)$/.test(line)),
    ).toEqual([]);
  });

  it('accepts only loopback host names when it listens on the loopback interface', async () => {
    const { app } = appOf(undefined, { loopbackHost: '127.0.0.1' });
    const statusFor = async (host: string) => (await app.request('/health', { headers: { Host: host } })).status;
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1:80', '127.8.8.8', '[::1]:8080'])
      expect(await statusFor(host), host).toBe(200);
    for (const host of [
      'evil.example',
      'localhost.evil.example:8080',
      '192.168.1.2',
      '[::2]:80',
      '127.0.0.1.evil.example',
      '',
    ])
      expect(await statusFor(host), host).toBe(403);
  });

  it('serves the page with its policy, and lets no other site read anything', async () => {
    const { app } = appOf();
    const response = await app.request('/', { headers: { Origin: 'https://evil.example' } });
    expect(await response.text()).toContain('<title>byteify</title>');
    expect(response.headers.get('Content-Security-Policy')).toBe("default-src 'none'");
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
