/** @module What every request passes before its route: metrics, security headers, access control, and the limit on its body. */
import type { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import { checkHost, checkKey } from './access.js';
import { ApiError } from './api-error.js';
import type { AppOptions, Env } from './app-options.js';
import type { Metrics } from './metrics.js';
import { TOKENIZER_PATHS } from './tokenizer-routes.js';

/** The routes that clients of the model use; the others say only whether the server is well. */
const GUARDED = ['/v1/*', ...TOKENIZER_PATHS];

function addBodyLimit(app: Hono<Env>, path: string, maxSize: number): void {
  const tooLarge = `The body is larger than the ${maxSize} bytes that this server accepts.`;
  app.use(path, async (c, next) => {
    // A body of which nothing was read is discarded as it arrives, and the connection stays open.
    if (Number(c.req.header('Content-Length') ?? 0) > maxSize) throw new ApiError(413, tooLarge);
    await next();
  });
  app.use(
    path,
    bodyLimit({
      maxSize,
      onError() {
        throw new ApiError(413, tooLarge, { ends: true });
      },
    }),
  );
}

/** Adds the middleware, which must come before the routes. Its refusals are ApiErrors: 401, 403 and 413. */
export function addGuards(
  app: Hono<Env>,
  { key, loopbackHost, limits }: Pick<AppOptions, 'key' | 'loopbackHost' | 'limits'>,
  metrics: Metrics,
): void {
  app.use(async (c, next) => {
    // The signal of the original request: a request into which a body is read follows this signal only until it is garbage-collected.
    c.set('client', c.req.raw.signal);
    await next();
    // Counts by route pattern, of which there are few. A request that only middleware handled has no pattern of its own.
    const route = routePath(c, -1);
    metrics.countRequest(route.includes('*') ? 'other' : route, c.res.status);
  });
  app.use(secureHeaders({ xFrameOptions: 'DENY', strictTransportSecurity: false }));
  app.use(async (c, next) => {
    if (loopbackHost !== null) checkHost(c.req.header('Host'), loopbackHost);
    await next();
  });
  for (const path of GUARDED) {
    app.use(path, async (c, next) => {
      if (key !== null) checkKey(c.req.header('Authorization'), key);
      await next();
    });
    addBodyLimit(app, path, limits.bodyBytes);
  }
}
