/** @module Calls the hub's client and keeps what its errors drop: the hub's error code and message. */
import { HubApiError } from '@huggingface/hub';
import { ByteifyError, messageOf } from '../../errors.js';

export interface Refusal {
  readonly status: number;
  /** The X-Error-Code header. */
  readonly code: string | null;
  /** The path of the URL. */
  readonly path: string;
  /** Whether the hub itself answered, rather than the storage behind it. */
  readonly byHub: boolean;
  /** The hub's message, as one client. */
  readonly says: string | null;
}

/** Everything that a call to the hub needs. */
export interface HubClient {
  readonly endpoint: string;
  /** Sends the token, and retries. */
  readonly fetch: typeof fetch;
  /** Never shown: it is removed from server messages. */
  readonly token: string | null;
  readonly signal?: AbortSignal;
}

const MAX_CHARACTERS = 300;

/** The error message in a response: the hub answers with JSON. Storage answers with XML, which is ignored. */
async function messageIn(response: Response, token: string | null): Promise<string | null> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as { error?: unknown };
  if (typeof error !== 'string' || error.trim() === '') return null;
  // Before truncation: part of a token could no longer be found.
  const safe = token === null ? error : error.replaceAll(token, '***');
  return safe.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_CHARACTERS);
}

async function refusalOf(response: Response, asked: URL, { endpoint, token }: HubClient): Promise<Refusal> {
  const url = new URL(response.url || asked);
  return {
    status: response.status,
    code: response.headers.get('x-error-code'),
    path: url.pathname,
    byHub: url.origin === new URL(endpoint).origin,
    says: await messageIn(response, token),
  };
}

/** Wraps a client so that `onRefusal` is called with each error response before the caller sees it. */
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

/** @returns the error itself if it is a ByteifyError or the client was aborted; otherwise a ByteifyError about the connection. */
export function unreachableHub(client: HubClient, error: unknown): unknown {
  if (error instanceof ByteifyError || client.signal?.aborted) return error;
  const cause = (error as Error).cause ?? error;
  return new ByteifyError(`The hub at ${client.endpoint} cannot be reached: ${messageOf(cause)}.`, {
    hint: 'Run the same command again; uploaded files are not sent twice.',
    cause,
  });
}

/**
 * Runs a call of the hub's client.
 * @param explain turns the first error response into an error, or into a result.
 * @throws whatever `explain` throws; ByteifyError if there is no connection; the signal's reason.
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
