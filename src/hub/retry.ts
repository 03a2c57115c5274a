/** @module A fetch that tries again: what is busy, broken or cut off now may work in a moment. */

const RETRIED = new Set([408, 429, 500, 502, 503, 504]);
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export interface RetryOptions {
  readonly fetch?: typeof fetch;
  readonly sleep?: (ms: number) => Promise<void>;
}

/** Retry-After in seconds or as a date; null when there is none. */
function retryAfterMs(response: Response): number | null {
  const value = response.headers.get('retry-after');
  if (value === null) return null;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(LONGEST_WAIT_MS, Math.max(0, ms)) : null;
}

/** Doubling, with half of it left to chance so that many clients do not come back at once. */
function waitMs(attempt: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return longest * (0.5 + Math.random() / 2);
}

export const sleepMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Gives the last answer, or throws the last transport error, after 6 attempts. An abort is never retried. */
export function retryingFetch(options: RetryOptions = {}): typeof fetch {
  const { fetch: once = fetch, sleep = sleepMs } = options;
  return async (input, init) => {
    for (let attempt = 0; ; attempt++) {
      const last = attempt === ATTEMPTS - 1;
      try {
        const response = await once(input, init);
        if (last || !RETRIED.has(response.status)) return response;
        await response.body?.cancel();
        await sleep(retryAfterMs(response) ?? waitMs(attempt));
      } catch (error) {
        if (last || init?.signal?.aborted) throw error;
        await sleep(waitMs(attempt));
      }
    }
  };
}
