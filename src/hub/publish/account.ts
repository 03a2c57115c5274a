/** @module Who publishes, and whether the token may write. */
import { whoAmI } from '@huggingface/hub';
import { ByteifyError } from '../../errors.js';
import { publishError, unknownToken } from './publish-errors.js';
import { callHub, type HubClient } from './refusals.js';

export interface Account {
  readonly name: string;
  /** The organisations that the token shows. */
  readonly organisations: readonly string[];
}

/** The client wants a token to put into a header; ours is put there by the fetch, whatever its form. */
export const BY_FETCH = { accessToken: '' } as const;

/** @throws ByteifyError without a token, with one that is not valid, and with one that may only read. */
export async function writingAccount(client: HubClient): Promise<Account> {
  if (client.token === null) {
    throw new ByteifyError('Publishing needs a token with write permission, and there is none.', {
      hint: `Make one at ${client.endpoint}/settings/tokens, then log in with \`hf auth login\` or set HF_TOKEN.`,
    });
  }
  const me = await callHub(
    client,
    ({ endpoint: hubUrl, fetch }) => whoAmI({ ...BY_FETCH, hubUrl, fetch }),
    (refusal) => {
      throw refusal.status === 401 ? unknownToken() : publishError(refusal, 'the hub', client.endpoint);
    },
  );
  if (me.auth?.accessToken?.role === 'read') {
    throw new ByteifyError(`The token of ${me.name} may only read.`, {
      hint: `Make one with write permission at ${client.endpoint}/settings/tokens.`,
    });
  }
  return { name: me.name, organisations: me.type === 'user' ? me.orgs.map(({ name }) => name) : [] };
}
