/** @module Creates the repository unless it exists. */
import { createRepo } from '@huggingface/hub';
import { ByteifyError } from '../../errors.js';
import { type Account, BY_FETCH } from './account.js';
import { publishError } from './publish-errors.js';
import { callHub, type HubClient, type Refusal } from './refusals.js';

function createError(refusal: Refusal, id: string, account: Account, endpoint: string): ByteifyError {
  const [owner, name] = id.split('/');
  const mine = [account.name, ...account.organisations];
  if (refusal.status !== 403 || mine.includes(owner!)) return publishError(refusal, id, endpoint);
  return new ByteifyError(`${account.name} may not create repositories for ${owner}.`, {
    hint: `Publish as ${mine.map((of) => `${of}/${name}`).join(' or ')}, or ask ${owner} for permission.`,
  });
}

/**
 * Creates a model repository.
 * @param options.isPrivate if false, the owner's default applies, which is public unless an organisation changed it.
 * @returns false if the repository already existed.
 * @throws ByteifyError if the hub refuses.
 */
export async function createRepository(
  client: HubClient,
  id: string,
  options: { isPrivate: boolean; account: Account },
): Promise<boolean> {
  return callHub(
    client,
    async ({ endpoint: hubUrl, fetch }) => {
      const visibility = options.isPrivate ? { visibility: 'private' as const } : {};
      await createRepo({ repo: id, ...visibility, ...BY_FETCH, hubUrl, fetch });
      return true;
    },
    (refusal) => {
      if (refusal.status === 409) return false;
      throw createError(refusal, id, options.account, client.endpoint);
    },
  );
}
