/** @module A fetch that tries again: what is busy, broken or cut off now may work in a moment. */
import { setTimeout as wait } from 'node:timers/promises';

/** 501 and 505 say that it will never work. */
const isRetried = (status: number) =>
  status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);

const ATTEMPTS = 6;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** The hub counts requests in windows of five minutes, and says in Retry-After when the next begins. */
const LONGEST_RETRY_AFTER_MS = 300_000;

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<unknown>;

export const sleepMs: Sleep = (ms, signal) => wait(ms, undefined, signal && { signal });

export interface RetryOptions {
  readonly fetch?: typeof fetch;
  readonly sleep?: Sleep;
}

/** Retry-After in seconds or as a date; null when there is none. */
function retryAfterMs(response: Response): number | null {
  const value = response.headers.get('retry-after');
  if (value === null) return null;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms)) : null;
}

/** Doubling, with half of it left to chance so that many clients do not come back at once. */
export function backoffMs(attempt: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return longest * (0.5 + Math.random() / 2);
}

/** Gives the last answer, or throws the last transport error, after 6 attempts. An abort is never retried. */
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
