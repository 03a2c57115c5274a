/** @module A fetch function that retries after temporary failures. */
import { setTimeout as wait } from 'node:timers/promises';

/** 501 and 505 are permanent failures. */
const isRetried = (status: number) =>
  status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);

const ATTEMPTS = 6;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** The hub limits requests per window of five minutes, and sends in Retry-After when the next window begins. */
const LONGEST_RETRY_AFTER_MS = 300_000;

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<unknown>;

export const sleepMs: Sleep = (ms, signal) => wait(ms, undefined, signal && { signal });

export interface RetryOptions {
  readonly fetch?: typeof fetch;
  readonly sleep?: Sleep;
}

/** The delay of a Retry-After header, given in seconds or as a date; null if there is none. */
function retryAfterMs(response: Response): number | null {
  const value = response.headers.get('retry-after');
  if (value === null) return null;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms)) : null;
}

/** The delay before a retry in milliseconds: doubled with each attempt, and half random so that many clients do not retry at the same time. */
export function backoffMs(attempt: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return longest * (0.5 + Math.random() / 2);
}

/** Wraps fetch with up to 6 attempts, then returns the last response or throws the last transport error. An abort is never retried. */
export function retryingFetch(options: RetryOptions = {}): typeof fetch {
  const { fetch: once = fetch, sleep = sleepMs } = options;
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
