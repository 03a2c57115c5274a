import { expect, it } from 'vitest';
import { retryingFetch } from '../../src/net/retrying-fetch.js';

type Answer = (() => Response) | Error;

/** A fetch that answers in turn, the last answer again and again, and the times it was waited. */
function scripted(...answers: Answer[]) {
  const waits: number[] = [];
  let asked = 0;
  const fetch = retryingFetch({
    fetch: async () => {
      const answer = answers[Math.min(asked++, answers.length - 1)]!;
      if (answer instanceof Error) throw answer;
      return answer();
    },
    sleep: async (ms) => waits.push(ms),
  });
  return { fetch, waits, asked: () => asked };
}

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  () =>
    new Response('', { status: code, headers });

it.each([200, 206, 302, 400, 401, 403, 404, 416, 501])('status %d is not retried', async (code) => {
  const { fetch, asked } = scripted(status(code));
  expect((await fetch('http://hub')).status).toBe(code);
  expect(asked()).toBe(1);
});

it.each([408, 429, 500, 502, 503, 504, 520])(
  'a request is retried after %d, and the last response is returned',
  async (code) => {
    const { fetch, asked, waits } = scripted(status(code));
    expect((await fetch('http://hub')).status).toBe(code);
    expect(asked()).toBe(6);
    for (const [i, ms] of waits.entries()) {
      expect(ms).toBeGreaterThanOrEqual(250 * 2 ** i);
      expect(ms).toBeLessThanOrEqual(500 * 2 ** i);
    }
  },
);

it('a request is retried after a transport error, and the last error is thrown', async () => {
  expect((await scripted(new TypeError('reset'), status(200)).fetch('http://hub')).status).toBe(200);
  await expect(scripted(new TypeError('reset')).fetch('http://hub')).rejects.toThrow('reset');
});

it('a retry waits as long as Retry-After says, in seconds or until a date, within bounds', async () => {
  const soon = new Date(Date.now() + 60_000).toUTCString();
  const answers = ['2', soon, '99999', 'nonsense'].map((value) => status(429, { 'retry-after': value }));
  const { fetch, waits } = scripted(...answers, status(200));
  await fetch('http://hub');
  expect(waits[0]).toBe(2000);
  expect(waits[1]).toBeGreaterThan(55_000);
  expect(waits[1]).toBeLessThanOrEqual(60_000);
  expect(waits[2]).toBe(300_000);
  expect(waits[3]).toBeLessThanOrEqual(4000);
});

it('a request is not retried once the signal is aborted, even while it waits', async () => {
  const controller = new AbortController();
  let asked = 0;
  const fetch = retryingFetch({
    fetch: async () => {
      asked += 1;
      setTimeout(() => controller.abort(), 20);
      return new Response('', { status: 503, headers: { 'retry-after': '200' } });
    },
  });
  await expect(fetch('http://hub', { signal: controller.signal })).rejects.toThrow(/abort/i);
  expect(asked).toBe(1);
});
