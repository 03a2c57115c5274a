/** @module The routes that generate text and those that list the model. */
import type { Context, Hono } from 'hono';
import { answerStream, answerWhole } from './answer.js';
import { ApiError, apiErrorOf } from './api-error.js';
import type { AppOptions, Env } from './app-options.js';
import { bodyOf } from './body.js';
import { chat } from './chat.js';
import { completions } from './completions.js';
import type { Endpoint } from './endpoint.js';
import type { Metrics } from './metrics.js';

const ENDPOINTS: readonly Endpoint[] = [completions, chat];
const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Without it nginx would buffer the stream.
  'X-Accel-Buffering': 'no',
};

function checkModel(name: string | null, modelName: string): void {
  if (name === null || name === modelName) return;
  throw new ApiError(404, `There is no model ${JSON.stringify(name)} here; this server has ${modelName}.`, {
    param: 'model',
    code: 'model_not_found',
  });
}

/** Adds the routes of the endpoints, which generate text. */
export function addCompletionRoutes(app: Hono<Env>, options: AppOptions, metrics: Metrics): void {
  const { generator, scheduler, modelName, limits } = options;
  const context = { limits, slots: generator.state().slots, chat: options.chat };
  const onSlow = (c: Context<Env>) => () => {
    metrics.countSlowClient();
    c.env?.outgoing?.destroy();
  };
  const onFailure = (error: unknown) => {
    if (apiErrorOf(error).status === 500) options.onFailure(error);
  };
  for (const endpoint of ENDPOINTS) {
    app.post(endpoint.path, async (c) => {
      const { text: request, model: named } = await endpoint.parse(await bodyOf(c), context);
      checkModel(named, modelName);
      const job = { endpoint, request, model: modelName, client: c.get('client') };
      if (!request.stream) return c.json(await answerWhole(job, scheduler));
      const body = await answerStream(job, scheduler, { limits, onSlow: onSlow(c), onFailure });
      return c.body(body, 200, STREAM_HEADERS);
    });
  }
}

/** Adds the routes that list and describe the one model of the server. */
export function addModelRoutes(app: Hono<Env>, { modelName, limits, chat: prompts }: AppOptions): void {
  const model = {
    id: modelName,
    object: 'model',
    created: Math.floor(Date.now() / 1000),
    owned_by: 'byteify',
    byteify: { chat: prompts !== null, max_prompt_bytes: limits.promptBytes, max_bytes: limits.textBytes },
  };
  app.get('/v1/models', (c) => c.json({ object: 'list', data: [model] }));
  app.get('/v1/models/:name', (c) => {
    checkModel(c.req.param('name'), modelName);
    return c.json(model);
  });
}
