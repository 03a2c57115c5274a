/** @module A limit on the time until a server begins to respond. */
import { watchedBlob } from './watched-blob.js';

/** A server that does not start to respond within this time counts as unreachable. */
const RESPONSE_MS = 60_000;

/** Aborts a request if the response does not start in time. The bodies may take longer as long as they make progress. */
export function withResponseTimeout(once: typeof fetch): typeof fetch {
  return async (input, init) => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no response within ${RESPONSE_MS / 1000} s`)), RESPONSE_MS);
    const body = init?.body instanceof Blob ? watchedBlob(init.body, () => timer.refresh()) : init?.body;
    try {
      return await once(input, {
        ...init,
        ...(body && { body }),
        signal: init?.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal,
      });
    } finally {
      clearTimeout(timer);
    }
  };
}
