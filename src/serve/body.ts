/** @module Reads the JSON body of a request. */
import type { Context } from 'hono';
import { explainJson } from '../fs/index.js';
import { ApiError } from './api-error.js';
import type { Env } from './app-options.js';

/** @throws ApiError for a body of another type, or one that is not JSON */
export async function bodyOf(c: Context<Env>): Promise<unknown> {
  // A page of another site cannot send this type without a preflight request, which this server does not answer.
  if (!/^application\/json\s*(;|$)/i.test(c.req.header('Content-Type') ?? ''))
    throw new ApiError(415, 'The body must be JSON, sent with "Content-Type: application/json".');
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, `The body is not JSON: ${explainJson(text)}.`, { code: 'invalid_json' });
  }
}
