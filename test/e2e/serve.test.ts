import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { roomyGolden } from '../support/roomy-golden.mjs';
import { type AnswerBody, type Serving, startServing } from '../support/serving.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-serve-'));
const KEY = 'a-key-of-the-test';
let model: string;
let server: Serving;

beforeAll(async () => {
  model = roomyGolden(work);
  const limits = ['--max-waiting', '8', '--max-prompt-bytes', '2000', '--max-body', '20kB', '--grace', '2'];
  server = await startServing([model, '--slots', '8', '--name', 'golden-blt', ...limits], { BYTEIFY_API_KEY: KEY });
});
afterAll(async () => {
  server?.child.kill('SIGKILL');
  await server?.finished;
  rmSync(work, { recursive: true, force: true });
});

const post = (path: string, body: unknown, init: RequestInit = {}) =>
  fetch(server.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${KEY}`, ...init.headers },
  });

interface Answer {
  readonly status: number;
  readonly body: AnswerBody;
}

async function ask(path: string, body: unknown, init?: RequestInit): Promise<Answer> {
  const response = await post(path, body, init);
  return { status: response.status, body: (await response.json()) as AnswerBody };
}

/** The data of a stream's events. */
async function streamed(body: object): Promise<string[]> {
  const response = await post('/v1/completions', { ...body, stream: true });
  expect(response.status).toBe(200);
  const events = (await response.text()).split('\n\n');
  expect(events.pop()).toBe('');
  return events.map((event) => event.slice('data: '.length));
}

async function streamedText(body: object): Promise<string> {
  const events = await streamed(body);
  expect(events.pop()).toBe('[DONE]');
  return events.map((event) => JSON.parse(event).choices[0].text).join('');
}

const health = async () => (await (await fetch(`${server.url}/health`)).json()) as { running: number; waiting: number };

async function until(what: () => Promise<boolean>, ms: number): Promise<void> {
  for (const end = performance.now() + ms; !(await what()); await pause(20))
    if (performance.now() > end) throw new Error(`not within ${ms} ms`);
}

/** A text that takes several seconds. */
const LONG = { prompt: 'a', max_tokens: 4096, temperature: 0 };

const prompts = ['The ', 'One', 'b', 'naïve', '東京', 'Byte?', 'x = y', 'Ωμ'].map(
  (end, i) => `${'.'.repeat(i * 40)}${end}`,
);

describe('a server', () => {
  it('prints one JSON document when it listens', () => {
    expect(server.document).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      model: 'golden-blt',
      slots: 8,
      key: true,
    });
  });

  it('completes, and streams the same text with the same seed', async () => {
    const body = { model: 'golden-blt', prompt: 'The byte is', max_tokens: 60, seed: 3, temperature: 0.9 };
    const { status, body: whole } = await ask('/v1/completions', body);
    expect(status).toBe(200);
    expect(whole.usage).toEqual({ prompt_tokens: 11, completion_tokens: 60, total_tokens: 71 });
    expect(whole.choices[0].finish_reason).toBe('length');
    expect(await streamedText(body)).toBe(whole.choices[0].text);
    const other = await ask('/v1/completions', { ...body, seed: 4 });
    expect(other.body.choices[0].text).not.toBe(whole.choices[0].text);
  });

  it('stops before a stop string', async () => {
    const body = { prompt: 'The byte is', max_tokens: 60, temperature: 0, byteify: { patches: true } };
    const { bytes } = (await ask('/v1/completions', body)).body.choices[0].byteify as { bytes: number[] };
    const at = bytes.findIndex((byte, i) => byte < 0x80 && bytes.indexOf(byte) === i && i > 3);
    const stop = String.fromCharCode(bytes[at]!);
    const cut = (await ask('/v1/completions', { ...body, stop })).body;
    expect(cut.choices[0]).toMatchObject({ finish_reason: 'stop', byteify: { bytes: bytes.slice(0, at) } });
    expect(cut.usage?.completion_tokens).toBe(at);
  });

  it('replies to a conversation in the model’s template', async () => {
    const messages = [{ role: 'user', content: 'What is a byte?' }];
    const shared = { max_tokens: 20, temperature: 0 };
    const { body } = await ask('/v1/chat/completions', { messages, ...shared });
    const text = await ask('/v1/completions', { prompt: '<user>What is a byte?</s><assistant>', ...shared });
    expect(body.choices[0].message).toEqual({
      role: 'assistant',
      content: text.body.choices[0].text,
      refusal: null,
    });
    expect(body.usage).toEqual(text.body.usage);
  });

  it('writes the same texts at once as one by one', async () => {
    const bodies = prompts.map((prompt) => ({ prompt, max_tokens: 40, temperature: 0 }));
    const alone: string[] = [];
    for (const body of bodies) alone.push(await streamedText(body));
    expect(new Set(alone).size).toBe(prompts.length);
    // Twice as many as there are slots.
    const together = await Promise.all([...bodies, ...bodies].map(streamedText));
    expect(together).toEqual([...alone, ...alone]);
  });

  it('refuses requests that are malformed, too large, too long, unknown, or without the key', async () => {
    const prompt = 'a';
    const statusOf = async (...args: Parameters<typeof ask>) => (await ask(...args)).status;
    expect(await statusOf('/v1/completions', '{"prompt":')).toBe(400);
    expect(await statusOf('/v1/completions', { prompt, best_of: 2 })).toBe(400);
    expect(await statusOf('/v1/completions', { prompt: 'a'.repeat(2001) })).toBe(400);
    expect(await statusOf('/v1/completions', { prompt: 'a'.repeat(20_000) })).toBe(413);
    expect(await statusOf('/v1/completions', { prompt, model: 'other' })).toBe(404);
    for (const Authorization of ['', 'Bearer wrong'])
      expect(await statusOf('/v1/completions', { prompt }, { headers: { Authorization } })).toBe(401);
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(401);
  });

  it('does not read an oversized body to its end', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    const head = ['POST /v1/completions HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${KEY}`];
    const told = [...head, 'Content-Type: application/json', 'Content-Length: 9000000000', '', '{'].join('\r\n');
    socket.write(told);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    await once(socket, 'close');
  });

  it('refuses foreign host names', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 403 /);
    socket.destroy();
  });

  it.each([true, false])('frees the slot of a client that disconnects, streaming: %s', async (stream) => {
    const client = new AbortController();
    const asked = post('/v1/completions', { ...LONG, stream }, { signal: client.signal });
    const gone = asked.then((response) => response.text()).catch(() => 'gone');
    await until(async () => (await health()).running === 1, 5000);
    client.abort();
    expect(await gone).toBe('gone');
    await until(async () => (await health()).running === 0, 1500);
  });

  it('refuses requests beyond the waiting limit, and says when to retry', async () => {
    const clients = new AbortController();
    const sixteen = Array.from({ length: 16 }, () =>
      post('/v1/completions', LONG, { signal: clients.signal }).catch(() => 'gone'),
    );
    await until(async () => (await health()).waiting === 8, 5000);
    const answer = await post('/v1/completions', LONG);
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([429, '5']);
    clients.abort();
    expect(await Promise.all(sixteen)).toEqual(new Array(16).fill('gone'));
    await until(async () => (await health()).running + (await health()).waiting === 0, 5000);
  });

  it('counts all of this in its metrics', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const value = (line: string) => Number(new RegExp(`^byteify_${line} (\\d+)$`, 'm').exec(metrics)?.[1]);
    expect(value('http_requests_total{route="/v1/completions",status="401"}')).toBe(2);
    expect(value('http_requests_total{route="/v1/completions",status="413"}')).toBe(2);
    expect(value('http_requests_total{route="/v1/completions",status="429"}')).toBe(1);
    expect(value('written_bytes_total')).toBeGreaterThan(24 * 40);
    expect(value('texts_running')).toBe(0);
  });

  it('stops on SIGTERM: running texts get a moment, and new ones are refused', async () => {
    const short = ask('/v1/completions', { prompt: 'a', max_tokens: 50, temperature: 0 });
    const long = post('/v1/completions', { ...LONG, stream: true });
    await until(async () => (await health()).running === 2, 5000);
    server.child.kill('SIGTERM');
    await until(async () => (await fetch(`${server.url}/health`)).status === 503, 2000);
    expect((await ask('/v1/completions', { prompt: 'a' })).status).toBe(503);
    expect((await short).body.choices[0].finish_reason).toBe('length');
    const events = (await (await long).text()).trimEnd().split('\n\n');
    expect(JSON.parse(events.at(-1)!.slice('data: '.length)).error.code).toBe('stopping');
    const { code, signal, stderr } = await server.finished;
    expect([code, signal]).toEqual([143, null]);
    expect(stderr).not.toContain(KEY);
  });
});

describe('a server that cannot start', () => {
  it('is refused in one sentence: a public address without a key', async () => {
    const { code, stderr } = await runCli(['serve', model, '--host', '0.0.0.0']);
    expect(code).toBe(2);
    expect(stderr).toContain('0.0.0.0 can be reached by others, so a key is needed.');
    expect(stderr).toContain('BYTEIFY_API_KEY');
  });

  it('is refused for an invalid key, or for two keys', async () => {
    const file = join(work, 'key');
    writeFileSync(file, ' \n');
    const empty = await runCli(['serve', model, '--api-key-file', file]);
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('contains no valid key')]);
    writeFileSync(file, `${KEY}\n`);
    const two = await runCli(['serve', model, '--api-key-file', file], { env: { BYTEIFY_API_KEY: 'another' } });
    expect([two.code, two.stderr]).toEqual([2, expect.stringContaining('cannot be combined')]);
    expect(two.stderr).not.toContain(KEY);
  });

  it('is refused for a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { code, stderr } = await runCli(['serve', model, '--port', String(port)]);
    other.close();
    expect([code, stderr]).toEqual([2, expect.stringContaining(`Port ${port} of 127.0.0.1 is in use.`)]);
  });
});
