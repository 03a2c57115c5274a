// The clients of the load test: those that stream texts to the end or disconnect midway, and misbehaving ones.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** The chunks of a stream. @throws if it ends without [DONE] */
async function* chunksOf(response) {
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      if (event === 'data: [DONE]') return;
      const chunk = JSON.parse(event.slice('data: '.length));
      if (chunk.error) throw new Error(chunk.error.message);
      yield chunk;
    }
  }
  throw new Error('the stream ended without [DONE]');
}

/**
 * Streams the greedy continuation of a prompt.
 * @param {string} url
 * @param {{ prompt: string, maxBytes: number, leaveAfter?: number }} request the client disconnects after `leaveAfter` bytes
 * @returns the bytes, the finish reason (null if the client disconnected), and the milliseconds to the first byte and to the end
 */
export async function stream(url, { prompt, maxBytes, leaveAfter = Number.POSITIVE_INFINITY }) {
  const begun = performance.now();
  const client = new AbortController();
  const body = { prompt, max_tokens: maxBytes, temperature: 0, stream: true, byteify: { patches: true } };
  const response = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify(body),
    signal: client.signal,
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  const bytes = [];
  let firstMs = null;
  let finish = null;
  for await (const { choices } of chunksOf(response)) {
    firstMs ??= performance.now() - begun;
    bytes.push(...choices[0].byteify.bytes);
    finish = choices[0].finish_reason;
    if (bytes.length < leaveAfter || finish !== null) continue;
    client.abort();
    return { bytes, finish: null, firstMs, ms: performance.now() - begun };
  }
  return { bytes, finish, firstMs, ms: performance.now() - begun };
}

const post = (url, body, headers = JSON_TYPE) => fetch(`${url}/v1/completions`, { method: 'POST', headers, body });

/** Requests that must be refused, and the status of the answer. */
export const REFUSED = {
  'malformed JSON': { status: 400, send: (url) => post(url, '{"prompt": "a"') },
  'another content type': {
    status: 415,
    send: (url) => post(url, '{"prompt": "a"}', { 'Content-Type': 'text/plain' }),
  },
  'an unknown field': { status: 400, send: (url) => post(url, '{"prompt": "a", "max_token": 5}') },
  'a prompt that is too long': { status: 400, send: (url) => post(url, JSON.stringify({ prompt: 'a'.repeat(5000) })) },
  'an oversized body': { status: 413, send: (url) => post(url, JSON.stringify({ prompt: 'a'.repeat(1_000_000) })) },
  'more bytes than the server allows': {
    status: 400,
    send: (url) => post(url, '{"prompt": "a", "max_tokens": 1000000}'),
  },
};

const head = (length) =>
  [
    'POST /v1/completions HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${length}`,
    '',
    '',
  ].join('\r\n');

async function connected(url) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Slow clients, which stay connected until the server or the test ends the connection. */
export const SLOW = {
  /** Sends a byte of its request each second. */
  async 'sends slowly'(url, signal) {
    const socket = await connected(url);
    const closed = once(socket, 'close', { signal }).catch(() => undefined);
    const request = head(200) + ' '.repeat(200);
    const sending = (async () => {
      for (let at = 0; !socket.destroyed && !signal.aborted; at++) {
        socket.write(request[at % request.length]);
        await pause(1000);
      }
    })();
    socket.resume();
    await closed;
    socket.destroy();
    await sending;
  },
  /** Requests a long stream and never reads it. */
  async 'reads nothing'(url, signal) {
    const socket = await connected(url);
    const body = JSON.stringify({
      prompt: 'a',
      max_tokens: 4000,
      temperature: 0,
      stream: true,
      byteify: { patches: true },
    });
    socket.pause();
    socket.write(head(body.length) + body);
    // A socket that is not read does not notice that the server has closed it, so the client reconnects after a minute.
    for (let seconds = 0; seconds < 60 && !signal.aborted; seconds++)
      await pause(1000, undefined, { signal }).catch(() => undefined);
    socket.destroy();
  },
};
