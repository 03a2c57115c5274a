/** @module The server's app: its middleware, routes and errors. */
import { Hono } from 'hono';
import { ApiError, apiErrorOf, errorBody, errorHeaders } from './api-error.js';
import type { AppOptions, Env } from './app-options.js';
import { addCompletionRoutes, addModelRoutes } from './completion-routes.js';
import { addGuards } from './guards.js';
import { createMetrics } from './metrics.js';
import { addTokenizerRoutes } from './tokenizer-routes.js';

function addErrors(app: Hono<Env>, onFailure: AppOptions['onFailure']): void {
  app.onError((thrown, c) => {
    // If the client has disconnected, the error may only say that the rest of the body could not be read.
    const error = c.get('client').aborted ? new ApiError(499, 'The client has disconnected.') : apiErrorOf(thrown);
    if (error.status === 500) onFailure(thrown);
    return c.body(JSON.stringify(errorBody(error)), {
      // 499 is missing from Hono's type of statuses with a body.
      status: error.status as 400,
      headers: { 'Content-Type': 'application/json', ...errorHeaders(error) },
    });
  });
  app.notFound((c) => {
    throw new ApiError(404, `There is nothing at ${c.req.method} ${c.req.path}.`, { code: 'unknown_url' });
  });
}

/** Creates the app that answers the server's requests. Errors become JSON documents in OpenAI's format. */
export function createApp(options: AppOptions): Hono<Env> {
  const { generator, scheduler, modelName, page } = options;
  const app = new Hono<Env>();
  const metrics = createMetrics();
  addErrors(app, options.onFailure);
  addGuards(app, options, metrics);
  addCompletionRoutes(app, options, metrics);
  addModelRoutes(app, options);
  addTokenizerRoutes(app, options);
  app.get('/health', (c) => {
    const { slots, running, waiting } = generator.state();
    const status = scheduler.stopping ? 'stopping' : 'ok';
    return c.json({ status, model: modelName, slots, running, waiting }, scheduler.stopping ? 503 : 200);
  });
  app.get('/metrics', (c) =>
    c.body(metrics.render(generator.state()), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  app.get('/', (c) => c.html(page.html, 200, { 'Content-Security-Policy': page.policy, 'Cache-Control': 'no-cache' }));
  return app;
}
