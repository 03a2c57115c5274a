/** @module The account that publishes, and a check that its token may write. */
import { whoAmI } from '@huggingface/hub';
import { ByteifyError } from '../../errors.js';
import { publishError, unknownToken } from './publish-errors.js';
import { callHub, type HubClient } from './refusals.js';

export interface Account {
  readonly name: string;
  /** The organisations that the token can see. */
  readonly organisations: readonly string[];
}

/** The hub's client requires a token for its header; ours is added by the fetch function, which accepts any token format. */
export const BY_FETCH = { accessToken: '' } as const;

/** Looks up the token's account. @throws ByteifyError if there is no token, or it is invalid or read-only. */
export async function writingAccount(client: HubClient): Promise<Account> {
  if (client.token === null) {
    throw new ByteifyError('Publishing needs a token with write permission, and there is none.', {
      hint: `Create one at ${client.endpoint}/settings/tokens, then log in with \`hf auth login\` or set HF_TOKEN.`,
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
    throw new ByteifyError(`The token of ${me.name} is read-only.`, {
      hint: `Create one with write permission at ${client.endpoint}/settings/tokens.`,
    });
  }
  return { name: me.name, organisations: me.type === 'user' ? me.orgs.map(({ name }) => name) : [] };
}
