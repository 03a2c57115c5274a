/** @module The fetch for everything asked of the hub: with the token where it belongs, and tried again. */
import { UsageError } from '../errors.js';
import type { HubEnvironment } from './environment.js';
import { type RetryOptions, retryingFetch } from './retry.js';
import { watchedBlob } from './watched-blob.js';

/** What a header can carry. Fetch would refuse other characters with an error that shows them. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** A server that takes longer to begin its answer is taken for gone. */
const ANSWER_MS = 60_000;

/** Gives an attempt up when its answer does not begin in time; both bodies may take as long as they need, while they move. */
function impatient(once: typeof fetch): typeof fetch {
  return async (input, init) => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
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

/** Reads an answer to its end before it counts as one: a body that breaks off is asked for again. */
function whole(once: typeof fetch): typeof fetch {
  return async (input, init) => {
    const answer = await once(input, init);
    const body = await answer.arrayBuffer();
    const { status, headers } = answer;
    return new Response(body.byteLength === 0 ? null : body, { status, headers });
  };
}

/**
 * Sends the token to the endpoint alone; a redirect to another host goes without it. It is put here, not handed to the hub's client,
 * which accepts only one of its forms.
 * @param options.wholeAnswers for what is small enough to be held: asks again, too, when a body breaks off.
 * @throws UsageError when HF_ENDPOINT is no address or holds a password, or the token cannot be one.
 */
export function hubFetch(
  { endpoint, token }: HubEnvironment,
  options: RetryOptions & { readonly wholeAnswers?: boolean } = {},
): typeof fetch {
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw new UsageError('HF_ENDPOINT is not an http or https address.', { hint: 'Unset it to use huggingface.co.' });
  }
  const { origin, username, password } = new URL(endpoint);
  // Fetch would refuse it with an error that shows it, and so would every message that names the endpoint.
  if (username + password !== '') {
    throw new UsageError('HF_ENDPOINT holds a user name or password, which cannot be sent.', {
      hint: 'Leave it out of the address; the token goes into HF_TOKEN.',
    });
  }
  if (token !== null && !SENDABLE.test(token)) {
    throw new UsageError('The hub token holds characters that no token has.', {
      hint: 'Copy it again into HF_TOKEN, or log in with `hf auth login`.',
    });
  }
  const once = options.fetch ?? fetch;
  const retrying = retryingFetch({ ...options, fetch: impatient(options.wholeAnswers ? whole(once) : once) });
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (token === null || url.origin !== origin) return retrying(input, init);
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${token}`);
    return retrying(input, { ...init, headers });
  };
}
