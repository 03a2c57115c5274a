/** @module A fetch function that retries after temporary failures. */
import { backoffMs, type Sleep, sleepMs } from './backoff.js';
import { withResponseTimeout } from './response-timeout.js';

/** 501 and 505 are permanent failures. */
const isRetried = (status: number) =>
  status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);

const ATTEMPTS = 6;
/** The hub limits requests per window of five minutes, and sends in Retry-After when the next window begins. */
const LONGEST_RETRY_AFTER_MS = 300_000;

export interface RetryOptions {
  readonly fetch?: typeof fetch;
  readonly sleep?: Sleep;
  /** For responses that fit in memory: also retries if a body is truncated. */
  readonly bufferResponses?: boolean;
}

/** The delay of a Retry-After header, given in seconds or as a date; null if there is none. */
function retryAfterMs(response: Response): number | null {
  const value = response.headers.get('retry-after');
  if (value === null) return null;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms)) : null;
}

/** Reads each response to its end, so that a truncated body fails as well. */
function buffered(once: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await once(input, init);
    const body = await response.arrayBuffer();
    const { status, headers } = response;
    return new Response(body.byteLength === 0 ? null : body, { status, headers });
  };
}

/**
 * Wraps fetch with up to 6 attempts, each of which must begin to respond within a minute; then returns the last response or throws the last
 * transport error. An abort is never retried.
 */
export function retryingFetch(options: RetryOptions = {}): typeof fetch {
  const { fetch: given = fetch, sleep = sleepMs, bufferResponses = false } = options;
  const once = withResponseTimeout(bufferResponses ? buffered(given) : given);
  return async (input, init) => {
    const signal = init?.signal ?? undefined;
    for (let attempt = 0; ; attempt++) {
      const last = attempt === ATTEMPTS - 1;
      let waitMs = backoffMs(attempt);
      try {
        const response = await once(input, init);
        if (last || !isRetried(response.status)) return response;
        await response.body?.cancel();
        waitMs = retryAfterMs(response) ?? waitMs;
      } catch (error) {
        if (last || signal?.aborted) throw error;
      }
      await sleep(waitMs, signal);
    }
  };
}
