import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, it, vi } from 'vitest';
import { streamingFetch } from '../../src/hub/publish/streaming-fetch.js';

let close = () => {};
afterEach(() => close());

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
}

const send = (url: string, size: number, init: RequestInit = {}) =>
  streamingFetch(fetch)(url, { method: 'PUT', body: new Blob([Buffer.alloc(size, 7)]), ...init });

it('a request sends the body with its length, and returns the response’s status, headers and body', async () => {
  const url = await serve(async (request, response) => {
    const { method, headers } = request;
    const bytes = (await buffer(request)).length;
    response.writeHead(201, { etag: '"e"', 'x-two': ['a', 'b'] }).end(JSON.stringify({ method, bytes, ...headers }));
  });
  const response = await send(url, 300_000, { headers: { 'X-Mine': 'yes' } });
  expect(response.status).toBe(201);
  expect([response.headers.get('etag'), response.headers.get('x-two')]).toEqual(['"e"', 'a, b']);
  const seen = await response.json();
  expect(seen).toMatchObject({ method: 'PUT', bytes: 300_000, 'content-length': '300000', 'x-mine': 'yes' });
  expect(seen).not.toHaveProperty('transfer-encoding');
});

it('a request may have an empty body, and a response none', async () => {
  const url = await serve((request, response) => void request.resume().on('end', () => response.writeHead(204).end()));
  expect((await send(url, 0)).status).toBe(204);
});

it('an early response is returned, and the rest of the body is not sent', async () => {
  let taken = 0;
  const url = await serve((request, response) => {
    request.once('data', (chunk: Buffer) => {
      taken += chunk.length;
      request.pause();
      response.writeHead(413).end('too large');
    });
  });
  const response = await send(url, 50_000_000);
  expect([response.status, await response.text()]).toEqual([413, 'too large']);
  expect(taken).toBeLessThan(50_000_000);
});

it.each([
  ['in the middle', 20_000_000],
  // Small enough for the system's buffers: all is sent when the end comes.
  ['after everything was sent', 1000],
])('a request fails if the connection ends %s', async (_when, size) => {
  const url = await serve((request) => void request.once('data', () => request.socket.destroy()));
  await expect(send(url, size)).rejects.toThrow(/ECONNRESET|EPIPE|socket hang up/);
});

it('a request fails if the response is truncated', async () => {
  const url = await serve((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-length': 10 }).write('half');
      setTimeout(() => response.destroy(), 20);
    });
  });
  await expect(send(url, 10)).rejects.toThrow(/aborted/);
});

it('a request ends with the reason of its signal, before and after it began', async () => {
  const url = await serve((request) => void request.resume());
  const controller = new AbortController();
  const sent = send(url, 1000, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 50);
  await expect(sent).rejects.toThrow('enough');
  await expect(send(url, 1000, { signal: controller.signal })).rejects.toThrow('enough');
});

it('all other requests are passed to the given fetch', async () => {
  const given = vi.fn(async () => new Response('given'));
  expect(await (await streamingFetch(given)('http://hub', { method: 'POST', body: 'text' })).text()).toBe('given');
  expect(given).toHaveBeenCalledWith('http://hub', { method: 'POST', body: 'text' });
});
