/** @module Refusals to write, as sentences with the next step. A token is never part of one. */
import { ByteifyError } from '../../errors.js';
import type { Refusal } from './refusals.js';

/** What the hub says when an account has no room left; it has no code of its own for that. */
const NO_ROOM = /quota|storage limit|out of storage|exceed|too large|payment|billing/i;

const quote = ({ says }: Refusal) => (says === null ? '' : ` The hub says: "${says}"`);

export function unknownToken(): ByteifyError {
  return new ByteifyError('The hub does not know this token: it was revoked, or copied with a mistake.', {
    hint: 'Log in again with `hf auth login`, or set HF_TOKEN to a token with write permission.',
  });
}

/** Another commit came in between. It may be our own: one whose answer was lost is sent again, and refused the second time. */
export class Overtaken extends ByteifyError {}

/** @param id OWNER/NAME that is written to. */
export function publishError(refusal: Refusal, id: string, endpoint: string): ByteifyError {
  const { status, code, says } = refusal;
  if (status === 402 || status === 413 || status === 507 || (status === 403 && says !== null && NO_ROOM.test(says))) {
    return new ByteifyError(`The hub has no room for ${id}.${quote(refusal)}`, {
      hint: `Free some, or raise the account's storage at ${endpoint}/settings/billing. Nothing of the repository was changed.`,
    });
  }
  if (status === 401 && code === null) return unknownToken();
  if (status === 403) {
    return new ByteifyError(`This token may not write to ${id}.${quote(refusal)}`, {
      hint: `Make one that may at ${endpoint}/settings/tokens, or ask the owner for write permission.`,
    });
  }
  if (status === 401 || status === 404) {
    return new ByteifyError(`${id} is gone, or this account may not see it.${quote(refusal)}`, {
      hint: 'Somebody removed or renamed it meanwhile; look at the hub, then run the same command again.',
    });
  }
  if (status === 409 || status === 412) {
    return new Overtaken(`${id} was changed by somebody else while it was published.${quote(refusal)}`, {
      hint: 'Nothing was overwritten. Look at the change, then run the same command again.',
    });
  }
  if (status === 429 || status >= 500) {
    return new ByteifyError(`The hub is busy: it answered ${status} again and again.`, {
      hint: 'Run the same command later: what was uploaded is not sent twice.',
    });
  }
  return new ByteifyError(`The hub refuses what was sent to ${id} (${status}).${quote(refusal)}`, {
    hint: 'Nothing of the repository was changed.',
  });
}
