import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressOf, openListener } from '../../src/serve/index.js';

const LOCAL = { host: '127.0.0.1', port: 0, requestMs: 1000 };

describe('the listener', () => {
  it('reports that the model is not open yet, then serves, then releases the port', async () => {
    const listener = await openListener(LOCAL);
    expect(listener.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const early = await fetch(listener.url);
    expect([early.status, early.headers.get('Retry-After')]).toEqual([503, '5']);
    expect(await early.json()).toMatchObject({ error: { code: 'opening' } });
    listener.serve(() => new Response('served'));
    expect(await (await fetch(listener.url)).text()).toBe('served');
    await listener.close();
    await expect(fetch(listener.url)).rejects.toThrow();
  });

  it('ends idle connections when it closes', async () => {
    const listener = await openListener(LOCAL);
    const idle = connect(Number(new URL(listener.url).port), '127.0.0.1');
    await once(idle, 'connect');
    const ended = once(idle, 'close');
    await listener.close();
    await ended;
  });

  it('reports in one sentence that a port is in use, and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(openListener({ ...LOCAL, port })).rejects.toMatchObject({
      message: `Port ${port} of 127.0.0.1 is in use.`,
      hint: expect.stringContaining('--port'),
      exitCode: 2,
    });
    other.close();
  });

  it('reports a host that is unknown, or not an address of this machine', async () => {
    await expect(openListener({ ...LOCAL, host: 'no.such.host.invalid' })).rejects.toThrow(/is unknown/);
    await expect(openListener({ ...LOCAL, host: '' })).rejects.toThrow(/is unknown/);
    await expect(openListener({ ...LOCAL, host: '192.0.2.1' })).rejects.toThrow(/is not an address of this machine/);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.3.2.1', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.0.2.1', false],
  ])('considers %s loopback: %s', async (host, loopback) => {
    expect((await addressOf(host)).loopback).toBe(loopback);
  });
});
