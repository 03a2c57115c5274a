/** @module The fetch function for all requests to the hub: it adds the token for the hub's host only, and retries. */
import { UsageError } from '../errors.js';
import { type RetryOptions, retryingFetch } from '../net/index.js';
import type { HubEnvironment } from './environment.js';

/** Characters that a header can carry. For others, fetch would throw an error that shows the token. */
const SENDABLE = /^[\x21-\x7e]+$/;

/**
 * Returns a fetch function that sends the token to the endpoint only; a redirect to another host does not receive it. The token is added
 * here rather than passed to the hub's client, which accepts only one token format.
 * @throws UsageError if HF_ENDPOINT is not a URL or contains a password, or the token contains invalid characters.
 */
export function hubFetch({ endpoint, token }: HubEnvironment, options: RetryOptions = {}): typeof fetch {
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
  const retrying = retryingFetch(options);
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (token === null || url.origin !== origin) return retrying(input, init);
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${token}`);
    return retrying(input, { ...init, headers });
  };
}
