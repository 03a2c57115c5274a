import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PLAIN_SAMPLING } from '../../src/generate/index.js';
import type { TextRequest } from '../../src/serve/request-fields.js';
import { createScheduler, type TextDelta } from '../../src/serve/scheduler.js';
import { LIMITS } from './ask.js';
import { fakeGenerator } from './fake-generator.js';

const request = (samples = 1): TextRequest => ({
  generations: [{ prompt: [1, 101], maxBytes: 100, sampling: PLAIN_SAMPLING, seed: 0, stops: [] }],
  samples,
  echo: false,
  stream: false,
  includeUsage: false,
  patches: false,
});
const nobody = new AbortController().signal;
const ignore = () => undefined;

describe('texts being generated', () => {
  it('wait for slots up to a limit, beyond which requests are refused for a while', async () => {
    const generator = fakeGenerator(() => 'ab', { slots: 2, paced: true });
    const scheduler = createScheduler(generator, LIMITS);
    const four = Array.from({ length: 4 }, () => scheduler.write(request(), nobody, ignore));
    await pause(10);
    expect(generator.state()).toMatchObject({ running: 2, waiting: 2 });
    await expect(scheduler.write(request(), nobody, ignore)).rejects.toMatchObject({
      status: 429,
      details: { retryAfterSeconds: expect.any(Number) },
    });
    // More than could ever wait is the client's mistake.
    await expect(scheduler.write(request(5), nobody, ignore)).rejects.toMatchObject({ status: 400 });
    for (let i = 0; i < 8; i++) await generator.step().then(() => pause(5));
    for (const usage of await Promise.all(four)) expect(usage).toEqual({ promptBytes: 1, writtenBytes: 2 });
    await expect(scheduler.write(request(), AbortSignal.abort(), ignore)).rejects.toMatchObject({ status: 499 });
  });

  it('end when the client disconnects, and free their slots', async () => {
    const generator = fakeGenerator(() => 'ab', { paced: true });
    const client = new AbortController();
    const written = createScheduler(generator, LIMITS).write(request(2), client.signal, ignore);
    await pause(5);
    expect(generator.state().running).toBe(2);
    client.abort();
    await expect(written).rejects.toMatchObject({ status: 499 });
    await pause(5);
    expect([generator.state().running, generator.aborted()]).toEqual([0, 2]);
  });

  it('end when their delivery fails', async () => {
    const generator = fakeGenerator(() => 'abc', { slots: 2, paced: true });
    const written = createScheduler(generator, LIMITS).write(request(2), nobody, () => {
      throw new Error('full');
    });
    const failed = expect(written).rejects.toThrow('full');
    await pause(5);
    await generator.step();
    await failed;
    await pause(5);
    expect(generator.state().running).toBe(0);
  });

  it('are ended by the time limit', async () => {
    const generator = fakeGenerator(() => 'é!', { paced: true });
    const deltas: TextDelta[] = [];
    const written = createScheduler(generator, { ...LIMITS, requestMs: 300 }).write(request(), nobody, (delta) =>
      deltas.push(delta),
    );
    await pause(5);
    await generator.step();
    expect(await written).toEqual({ promptBytes: 1, writtenBytes: 1 });
    expect(deltas.map(({ text, finish }) => [text, finish])).toEqual([
      ['', null],
      ['\ufffd', 'length'],
    ]);
    expect(generator.state().running).toBe(0);
  });

  it('fail if the time limit comes before the first byte', async () => {
    const generator = fakeGenerator(() => 'ab', { paced: true });
    const scheduler = createScheduler(generator, { ...LIMITS, requestMs: 20 });
    await expect(scheduler.write(request(), nobody, ignore)).rejects.toMatchObject({ status: 504 });
    await pause(5);
    expect(generator.state().running).toBe(0);
  });

  it('get a moment to finish when the server stops, which accepts no more', async () => {
    const generator = fakeGenerator((_, sample) => ['a', 'abcdef'][sample]!, { paced: true });
    const scheduler = createScheduler(generator, LIMITS);
    const short = scheduler.write(request(), nobody, ignore);
    const long = scheduler.write(request(2), nobody, ignore);
    const ended = expect(long).rejects.toMatchObject({ status: 503 });
    await pause(5);
    const stopped = scheduler.stop(300);
    await expect(scheduler.write(request(), nobody, ignore)).rejects.toMatchObject({ status: 503 });
    await generator.step();
    expect(await short).toMatchObject({ writtenBytes: 1 });
    await stopped;
    await ended;
  });
});
