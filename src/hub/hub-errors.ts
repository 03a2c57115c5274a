/** @module The hub's refusals as sentences with the next step. A token is never part of one. */
import { ByteifyError } from '../errors.js';

export interface Refused {
  readonly status: number;
  /** The X-Error-Code header. */
  readonly code: string | null;
}

/** @param revision that was asked for; @param endpoint of the hub. */
export function hubError({ status, code }: Refused, id: string, revision: string, endpoint: string): ByteifyError {
  const page = `${endpoint}/${id}`;
  if (code === 'GatedRepo' || (status === 403 && code === null)) {
    return new ByteifyError(`${id} is gated: the hub does not let this account read it.`, {
      hint: `Accept its licence at ${page}, then log in with \`hf auth login\` or set HF_TOKEN.`,
    });
  }
  if (code === 'DisabledRepo') {
    return new ByteifyError(`The hub has disabled ${id}.`, { hint: `The reason may stand at ${page}.` });
  }
  if (code === 'RevisionNotFound') {
    return new ByteifyError(`${id} has no revision "${revision}".`, {
      hint: `Its branches and commits are listed at ${page}/commits/main.`,
    });
  }
  if (code === 'EntryNotFound') {
    return new ByteifyError(`A file of ${id} is gone from revision "${revision}".`, {
      hint: 'The repository changed; try again.',
    });
  }
  if (status === 401 || status === 404) {
    return new ByteifyError(`There is no model ${id} on the hub that this account can read.`, {
      hint: 'Check the spelling; for a private or gated one log in with `hf auth login`, or set HF_TOKEN to a token that is valid.',
    });
  }
  return new ByteifyError(`The hub answered ${status} for ${id}.`, {
    hint: 'Try again later; what is downloaded is kept.',
  });
}
