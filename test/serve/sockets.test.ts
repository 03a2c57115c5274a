import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Listener, openListener } from '../../src/serve/index.js';
import { appOf, LIMITS } from './ask.js';
import { type FakeGenerator, fakeGenerator } from './fake-generator.js';

/** More than the system's own buffers between two sockets take, each byte being hundreds on its way. */
const LONG = 60_000;

let listener: Listener;
let socket: Socket;
afterEach(async () => {
  socket.destroy();
  await listener.close();
});

let counted: () => Promise<string>;

/** A client that has sent a request, by `Content-Length` or in chunks, but for the last bytes where it is `cut`. */
async function client(generator: FakeGenerator, fields: object, { chunked = false, cut = 0 } = {}) {
  const limits = { ...LIMITS, textBytes: LONG, streamBytes: 64 * 1024 };
  const { app, failures } = appOf(generator, { limits, loopbackHost: '127.0.0.1' });
  counted = async () => await (await app.request('/metrics', { headers: { Host: 'localhost' } })).text();
  listener = await openListener({ host: '127.0.0.1', port: 0, requestMs: 10_000 });
  listener.serve(app.fetch);
  socket = connect(Number(new URL(listener.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const body = JSON.stringify({ prompt: 'a', max_tokens: LONG, byteify: { patches: true }, ...fields });
  const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  const head = ['POST /v1/completions HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', length, '', ''];
  const request = head.join('\r\n') + (chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body);
  socket.write(request.slice(0, request.length - cut));
  return { failures };
}

const running = (generator: FakeGenerator) =>
  expect.poll(() => generator.state().running, { interval: 10, timeout: 10_000 });

describe('over sockets,', () => {
  it('a client that does not read its stream is dropped, and its slot is free', async () => {
    const generator = fakeGenerator(() => 'a'.repeat(LONG));
    await client(generator, { stream: true });
    socket.pause();
    await running(generator).toBe(1);
    await running(generator).toBe(0);
    expect(generator.aborted()).toBe(1);
    expect(await counted()).toMatch(/^byteify_slow_clients_total 1$/m);
    // What the system held is read; then the connection is at its end, and the stream is not.
    const ended = once(socket, 'close');
    let tail = '';
    socket.on('data', (chunk) => {
      tail = `${tail}${chunk}`.slice(-100);
    });
    socket.on('error', () => undefined);
    socket.resume();
    await ended;
    expect(tail).not.toContain('[DONE]');
  });

  it('a client that disconnects during its request is not a server error', async () => {
    const { failures } = await client(
      fakeGenerator(() => 'abc'),
      { prompt: 'a' },
      { cut: 5 },
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await expect.poll(counted).toMatch(/^byteify_http_requests_total\{route="\/v1\/completions",status="499"\} 1$/m);
    expect(failures).toEqual([]);
  });

  it('an oversized request does not affect later ones on its connection', async () => {
    await client(
      fakeGenerator(() => 'abc'),
      { prompt: 'a'.repeat(1_000_000) },
    );
    const [refused] = (await once(socket, 'data')) as [Buffer];
    expect(refused.toString()).toMatch(/^HTTP\/1\.1 413 /);
    // The library that waits for the rest of a body gives up after half a second.
    await new Promise((resolve) => setTimeout(resolve, 800));
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    ['a stream', true, false],
    ['a stream, asked for in chunks', true, true],
    ['one document', false, false],
    ['one document, asked for in chunks', false, true],
  ])('a client that disconnects frees its slot: %s', async (_, stream, chunked) => {
    const generator = fakeGenerator(() => 'abc', { paced: true });
    await client(generator, { stream }, { chunked });
    await running(generator).toBe(1);
    socket.destroy();
    await running(generator).toBe(0);
    expect(generator.aborted()).toBe(1);
  });
});
