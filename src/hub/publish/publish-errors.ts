/** @module Turns refused writes into messages with a hint. They never contain a token. */
import { ByteifyError } from '../../errors.js';
import type { Refusal } from './refusals.js';

/** The hub's messages for an exceeded storage quota, for which it has no error code. */
const QUOTA_EXCEEDED = /quota|storage limit|out of storage|exceed|too large|payment|billing/i;

const quote = ({ says }: Refusal) => (says === null ? '' : ` The hub says: "${says}"`);

export function unknownToken(): ByteifyError {
  return new ByteifyError('The hub does not recognise this token: it was revoked or mistyped.', {
    hint: 'Log in again with `hf auth login`, or set HF_TOKEN to a token with write permission.',
  });
}

/** Another commit came first. It may be our own: if the response to a commit is lost, the commit is sent again and then refused. */
export class ConflictingCommit extends ByteifyError {}

/** Explains a refused write. @param id OWNER/NAME of the repository. */
export function publishError(refusal: Refusal, id: string, endpoint: string): ByteifyError {
  const { status, code, says } = refusal;
  if (
    status === 402 ||
    status === 413 ||
    status === 507 ||
    (status === 403 && says !== null && QUOTA_EXCEEDED.test(says))
  ) {
    return new ByteifyError(`The hub has no storage left for ${id}.${quote(refusal)}`, {
      hint: `Free some space, or increase the account's storage at ${endpoint}/settings/billing. The repository was not changed.`,
    });
  }
  if (status === 401 && code === null) return unknownToken();
  if (status === 403) {
    return new ByteifyError(`This token may not write to ${id}.${quote(refusal)}`, {
      hint: `Create one that may at ${endpoint}/settings/tokens, or ask the owner for write permission.`,
    });
  }
  if (status === 401 || status === 404) {
    return new ByteifyError(`${id} no longer exists, or this account may not see it.${quote(refusal)}`, {
      hint: 'It was removed or renamed meanwhile. Check it on the hub, then run the same command again.',
    });
  }
  if (status === 409 || status === 412) {
    return new ConflictingCommit(`Somebody else changed ${id} during the upload.${quote(refusal)}`, {
      hint: 'Nothing was overwritten. Review the change, then run the same command again.',
    });
  }
  if (status === 429 || status >= 500) {
    return new ByteifyError(`The hub is busy: it repeatedly answered ${status}.`, {
      hint: 'Run the same command again later; uploaded files are not sent twice.',
    });
  }
  return new ByteifyError(`The hub rejected the upload to ${id} (${status}).${quote(refusal)}`, {
    hint: 'The repository was not changed.',
  });
}
