/** @module The server's routes. */
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import { messageOf } from '../errors.js';
import type { ChatPrompts, Generator } from '../generate/index.js';
import { checkHost, checkKey } from './access.js';
import { answerStream, answerWhole } from './answer.js';
import { ApiError, apiErrorOf, errorBody, errorHeaders } from './api-error.js';
import { chat } from './chat.js';
import { completions } from './completions.js';
import type { Dialect } from './dialect.js';
import type { Limits } from './limits.js';
import { createMetrics } from './metrics.js';
import type { Page } from './page.js';
import type { Texts } from './texts.js';

export interface AppOptions {
  readonly generator: Generator;
  readonly texts: Texts;
  /** Null where the model has no template. */
  readonly chat: ChatPrompts | null;
  /** What clients call the model. */
  readonly modelName: string;
  readonly limits: Limits;
  /** Asked for at /v1; null asks for none. */
  readonly key: string | null;
  /** The host that the server listens on where that is the loopback, and other names are refused; null elsewhere. */
  readonly loopbackHost: string | null;
  readonly page: Page;
  /** Told of errors that are the server's fault. */
  readonly onFailure: (error: unknown) => void;
}

/** `outgoing` is Node's, and not there when a test asks the app itself. */
type Env = { Bindings: Partial<HttpBindings>; Variables: { client: AbortSignal } };

const DIALECTS: readonly Dialect[] = [completions, chat];
const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // nginx would gather what should come at once.
  'X-Accel-Buffering': 'no',
};

export function createApp(options: AppOptions): Hono<Env> {
  const { generator, texts, modelName, limits, key, loopbackHost, page } = options;
  const app = new Hono<Env>();
  const metrics = createMetrics();
  const created = Math.floor(Date.now() / 1000);
  const model = {
    id: modelName,
    object: 'model',
    created,
    owned_by: 'byteify',
    byteify: { chat: options.chat !== null, max_prompt_bytes: limits.promptBytes, max_bytes: limits.textBytes },
  };

  const context = { limits, lanes: generator.state().lanes, chat: options.chat };

  const reportFailure = (error: unknown) => {
    if (apiErrorOf(error).status === 500) options.onFailure(error);
  };

  function checkModel(name: string | null): void {
    if (name === null || name === modelName) return;
    throw new ApiError(404, `There is no model ${JSON.stringify(name)} here; this server has ${modelName}.`, {
      param: 'model',
      code: 'model_not_found',
    });
  }

  async function bodyOf(c: Context<Env>): Promise<unknown> {
    // A page of another site cannot send this type without asking first, which nobody answers.
    if (!/^application\/json\s*(;|$)/i.test(c.req.header('Content-Type') ?? ''))
      throw new ApiError(415, 'The body must be JSON, sent with "Content-Type: application/json".');
    const text = await c.req.text();
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new ApiError(400, `The body is not JSON: ${messageOf(cause)}.`, { code: 'invalid_json' });
    }
  }

  const onSlow = (c: Context<Env>) => () => {
    metrics.countSlowClient();
    c.env?.outgoing?.destroy();
  };

  app.onError((thrown, c) => {
    // Of a client that is gone the rest of the body, say, cannot be read.
    const error = c.get('client').aborted ? new ApiError(499, 'The client is gone.') : apiErrorOf(thrown);
    if (error.status === 500) options.onFailure(thrown);
    return c.body(JSON.stringify(errorBody(error)), {
      // Hono's type of statuses that have a body lacks 499.
      status: error.status as 400,
      headers: { 'Content-Type': 'application/json', ...errorHeaders(error) },
    });
  });
  app.notFound((c) => {
    throw new ApiError(404, `There is nothing at ${c.req.method} ${c.req.path}.`, { code: 'unknown_url' });
  });

  app.use(async (c, next) => {
    // Of the request as it came: one that a body is read into only follows its signal while it is not forgotten itself.
    c.set('client', c.req.raw.signal);
    await next();
    // The pattern, of which there are few; what only middleware took has none of its own.
    const route = routePath(c, -1);
    metrics.countRequest(route.includes('*') ? 'other' : route, c.res.status);
  });
  app.use(secureHeaders({ xFrameOptions: 'DENY', strictTransportSecurity: false }));
  app.use(async (c, next) => {
    if (loopbackHost !== null) checkHost(c.req.header('Host'), loopbackHost);
    await next();
  });
  app.use('/v1/*', async (c, next) => {
    if (key !== null) checkKey(c.req.header('Authorization'), key);
    await next();
  });
  const tooLarge = `The body is larger than the ${limits.bodyBytes} bytes that this server reads.`;
  app.use('/v1/*', async (c, next) => {
    // A body that nobody has begun to read is thrown away as it comes, and the connection stays.
    if (Number(c.req.header('Content-Length') ?? 0) > limits.bodyBytes) throw new ApiError(413, tooLarge);
    await next();
  });
  app.use(
    '/v1/*',
    bodyLimit({
      maxSize: limits.bodyBytes,
      onError() {
        throw new ApiError(413, tooLarge, { ends: true });
      },
    }),
  );

  for (const dialect of DIALECTS) {
    app.post(dialect.path, async (c) => {
      const { text: request, model: named } = await dialect.parse(await bodyOf(c), context);
      checkModel(named);
      const question = { dialect, request, model: modelName, client: c.get('client') };
      if (!request.stream) return c.json(await answerWhole(question, texts));
      const body = await answerStream(question, texts, { limits, onSlow: onSlow(c), onFailure: reportFailure });
      return c.body(body, 200, STREAM_HEADERS);
    });
  }
  app.get('/v1/models', (c) => c.json({ object: 'list', data: [model] }));
  app.get('/v1/models/:name', (c) => {
    checkModel(c.req.param('name'));
    return c.json(model);
  });
  app.get('/health', (c) => {
    const { lanes, running, waiting } = generator.state();
    const status = texts.stopping ? 'stopping' : 'ok';
    return c.json({ status, model: modelName, lanes, running, waiting }, texts.stopping ? 503 : 200);
  });
  app.get('/metrics', (c) =>
    c.body(metrics.render(generator.state()), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  app.get('/', (c) => c.html(page.html, 200, { 'Content-Security-Policy': page.policy, 'Cache-Control': 'no-cache' }));
  return app;
}
