/** @module Turns the hub's error responses into messages with a hint. They never contain a token. */
import { ByteifyError } from '../errors.js';
import { isDatasetId } from './model-id.js';

export interface Refused {
  readonly status: number;
  /** The X-Error-Code header. */
  readonly code: string | null;
  /** The X-Error-Message header. */
  readonly message: string | null;
}

export function refusedBy({ status, headers }: Response): Refused {
  return { status, code: headers.get('x-error-code'), message: headers.get('x-error-message') };
}

/**
 * Explains an error response of the hub.
 * @param revision that was requested; @param endpoint of the hub.
 * @param branches of the repository, if known.
 */
export function hubError(
  { status, code, message }: Refused,
  id: string,
  revision: string,
  endpoint: string,
  branches: readonly string[] = [],
): ByteifyError {
  const page = `${endpoint}/${id}`;
  if (/invalid credentials/i.test(message ?? '')) {
    return new ByteifyError('The hub does not accept the token.', {
      hint: 'It may have expired: log in again with `hf auth login`, or set HF_TOKEN to a new one.',
    });
  }
  if (code === 'GatedRepo' || (status === 403 && code === null)) {
    return new ByteifyError(`${id} is gated: the hub does not let this account read it.`, {
      hint:
        status === 401
          ? `Accept its licence at ${page}, then log in with \`hf auth login\` or set HF_TOKEN.`
          : `Accept its licence at ${page} with the token's account; some authors approve requests by hand. The token in HF_TOKEN must be allowed to read gated repositories.`,
    });
  }
  if (code === 'DisabledRepo') {
    return new ByteifyError(`The hub has disabled ${id}.`, { hint: `${page} may give the reason.` });
  }
  if (code === 'RevisionNotFound') {
    return new ByteifyError(`${id} has no revision "${revision}".`, {
      hint:
        branches.length === 0
          ? `Its branches and commits are listed at ${page}/commits/main.`
          : `It has ${branches.join(', ')}; its commits are listed at ${page}/commits/${branches[0]}.`,
    });
  }
  if (code === 'EntryNotFound') {
    return new ByteifyError(`A file of ${id} no longer exists in revision "${revision}".`, {
      hint: 'The repository changed meanwhile; run the same command again.',
    });
  }
  if (status === 401 || status === 404) {
    const kind = isDatasetId(id) ? 'dataset' : 'model';
    return new ByteifyError(`There is no ${kind} ${id} on the hub that this account can read.`, {
      hint: 'Check the spelling. For a private or gated repository, log in with `hf auth login` or set HF_TOKEN to a valid token.',
    });
  }
  return new ByteifyError(`The hub answered ${status} for ${id}.`, {
    hint: 'Try again later; downloaded files are kept.',
  });
}
