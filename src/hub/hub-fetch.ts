/** @module The fetch function for all requests to the hub: it adds the token for the hub's host only, and retries. */
import { UsageError } from '../errors.js';
import type { HubEnvironment } from './environment.js';
import { type RetryOptions, retryingFetch } from './retry.js';
import { watchedBlob } from './watched-blob.js';

/** Characters that a header can carry. For others, fetch would throw an error that shows the token. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** A server that does not start to respond within this time counts as unreachable. */
const RESPONSE_MS = 60_000;

/** Aborts an attempt if the response does not start in time. The bodies may take longer as long as they make progress. */
function withTimeout(once: typeof fetch): typeof fetch {
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

/** Reads each response to its end, so that a truncated body is retried as well. */
function buffered(once: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await once(input, init);
    const body = await response.arrayBuffer();
    const { status, headers } = response;
    return new Response(body.byteLength === 0 ? null : body, { status, headers });
  };
}

/**
 * Returns a fetch function that sends the token to the endpoint only; a redirect to another host does not receive it. The token is added
 * here rather than passed to the hub's client, which accepts only one token format.
 * @param options.bufferResponses for responses that fit in memory: also retries if a body is truncated.
 * @throws UsageError if HF_ENDPOINT is not a URL or contains a password, or the token contains invalid characters.
 */
export function hubFetch(
  { endpoint, token }: HubEnvironment,
  options: RetryOptions & { readonly bufferResponses?: boolean } = {},
): typeof fetch {
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw new UsageError('HF_ENDPOINT is not an http or https URL.', { hint: 'Unset it to use huggingface.co.' });
  }
  const { origin, username, password } = new URL(endpoint);
  // Fetch would throw an error that shows the password, and messages that name the endpoint would show it as well.
  if (username + password !== '') {
    throw new UsageError('HF_ENDPOINT contains a user name or password, which cannot be sent.', {
      hint: 'Remove it from the URL, and put the token into HF_TOKEN.',
    });
  }
  if (token !== null && !SENDABLE.test(token)) {
    throw new UsageError('The hub token contains invalid characters.', {
      hint: 'Copy it again into HF_TOKEN, or log in with `hf auth login`.',
    });
  }
  const once = options.fetch ?? fetch;
  const retrying = retryingFetch({ ...options, fetch: withTimeout(options.bufferResponses ? buffered(once) : once) });
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (token === null || url.origin !== origin) return retrying(input, init);
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${token}`);
    return retrying(input, { ...init, headers });
  };
}
