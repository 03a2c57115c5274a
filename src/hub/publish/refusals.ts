/** @module Calls of the hub's client whose refusals keep what the client forgets: the hub's code and its own words. */
import { HubApiError } from '@huggingface/hub';
import { ByteifyError, messageOf } from '../../errors.js';

export interface Refusal {
  readonly status: number;
  /** The X-Error-Code header. */
  readonly code: string | null;
  /** The path of the URL. */
  readonly path: string;
  /** Answered by the hub itself, not by the storage behind it. */
  readonly byHub: boolean;
  /** The hub's own words, one client. */
  readonly says: string | null;
}

/** How a call reaches the hub. */
export interface HubClient {
  readonly endpoint: string;
  /** Sends the token, and tries again. */
  readonly fetch: typeof fetch;
  /** Never shown: it is cut out of what a server says. */
  readonly token: string | null;
  readonly signal?: AbortSignal;
}

const MAX_WORDS = 300;

/** Storage answers with XML, of which people read nothing; the hub with JSON. */
async function wordsOf(response: Response, token: string | null): Promise<string | null> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as { error?: unknown };
  if (typeof error !== 'string' || error.trim() === '') return null;
  // Before it is cut short: a part of a token is none that could be found.
  const safe = token === null ? error : error.replaceAll(token, '***');
  return safe.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_WORDS);
}

async function refusalOf(response: Response, asked: URL, { endpoint, token }: HubClient): Promise<Refusal> {
  const url = new URL(response.url || asked);
  return {
    status: response.status,
    code: response.headers.get('x-error-code'),
    path: url.pathname,
    byHub: url.origin === new URL(endpoint).origin,
    says: await wordsOf(response, token),
  };
}

/** The same client, whose refusals are told before the client sees them. */
export function observedClient(client: HubClient, onRefusal: (refusal: Refusal) => void): HubClient {
  return {
    ...client,
    fetch: async (input, init) => {
      const { signal } = client;
      const both = init?.signal && signal ? AbortSignal.any([init.signal, signal]) : (init?.signal ?? signal);
      const response = await client.fetch(input, { ...init, ...(both && { signal: both }) });
      if (!response.ok) {
        onRefusal(await refusalOf(response, new URL(input instanceof Request ? input.url : input), client));
      }
      return response;
    },
  };
}

/** @returns the error as it is when it speaks for itself, else a sentence about the connection. */
export function unreachableHub(client: HubClient, error: unknown): unknown {
  if (error instanceof ByteifyError || client.signal?.aborted) return error;
  const cause = (error as Error).cause ?? error;
  return new ByteifyError(`The hub at ${client.endpoint} cannot be reached: ${messageOf(cause)}.`, {
    hint: 'Run the same command again: what was uploaded is not sent twice.',
    cause,
  });
}

/**
 * @param explain turns the first refusal into an error, or into the value that it stands for.
 * @throws what `explain` throws; ByteifyError when there is no connection; the signal's reason.
 */
export async function callHub<T>(
  client: HubClient,
  call: (client: HubClient) => Promise<T>,
  explain: (refusal: Refusal) => T | Promise<T>,
): Promise<T> {
  let first: Refusal | null = null;
  const watched = observedClient(client, (refusal) => {
    first ??= refusal;
  });
  try {
    return await call(watched);
  } catch (error) {
    if (first !== null && error instanceof HubApiError) return explain(first);
    throw unreachableHub(client, error);
  }
}
