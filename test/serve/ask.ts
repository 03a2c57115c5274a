/** An app with a fake generator, and requests of its clients. */
import { createApp } from '../../src/serve/app.js';
import type { AppOptions, Limits } from '../../src/serve/index.js';
import { createScheduler } from '../../src/serve/index.js';
import type { AnswerBody } from '../support/serving.js';
import { type FakeGenerator, fakeGenerator } from './fake-generator.js';

export const LIMITS: Limits = {
  bodyBytes: 20_000,
  promptBytes: 1000,
  textBytes: 500,
  waiting: 2,
  requestMs: 60_000,
  streamBytes: 100_000,
  stallMs: 60_000,
};

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody;
}

export function appOf(
  generator: FakeGenerator = fakeGenerator(() => 'Bytes.'),
  options: Partial<AppOptions> & { limits?: Limits } = {},
) {
  const limits = options.limits ?? LIMITS;
  const scheduler = createScheduler(generator, limits);
  const failures: unknown[] = [];
  const app = createApp({
    generator,
    scheduler,
    limits,
    chat: null,
    chatTemplate: null,
    modelName: 'tiny',
    key: null,
    loopbackHost: null,
    page: { html: '<title>byteify</title>', policy: "default-src 'none'" },
    onFailure: (error) => failures.push(error),
    ...options,
  });
  const post = (path: string, body: unknown, init: RequestInit = {}) =>
    app.request(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...init,
      headers: { 'Content-Type': 'application/json', ...init.headers },
    });
  return {
    app,
    scheduler,
    failures,
    post,
    async ask(path: string, body: unknown, init?: RequestInit): Promise<Asked> {
      const response = await post(path, body, init);
      return { status: response.status, headers: response.headers, body: (await response.json()) as AnswerBody };
    },
  };
}

/** The data of a stream's events. */
export function eventsOf(stream: string): string[] {
  return stream
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));
}

/** All chunks of a stream that ends as it should. */
export function chunksOf(stream: string): AnswerBody[] {
  const events = eventsOf(stream);
  if (events.at(-1) !== '[DONE]') throw new Error(`the stream ends with ${events.at(-1)}`);
  return events.slice(0, -1).map((event) => JSON.parse(event));
}
