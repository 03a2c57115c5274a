/** @module A folder's files into a repository of the hub: first what would change, then the change. */
import { ByteifyError } from '../../errors.js';
import { hubEnvironment } from '../environment.js';
import type { HubOptions } from '../find-model.js';
import { hubFetch } from '../hub-fetch.js';
import type { Account } from './account.js';
import { type Changes, changesTo, otherModel } from './changes.js';
import { createRepository } from './create-repository.js';
import type { LocalFile } from './local-files.js';
import type { Origin } from './origin.js';
import type { HubClient } from './refusals.js';
import { lookUp, type RemoteRepository, remoteTree } from './remote-repository.js';
import { checkRepositoryName } from './repository-name.js';
import { streamingFetch } from './streaming-fetch.js';
import { type Uploaded, upload } from './upload.js';
import type { UploadProgress } from './upload-meter.js';
import { validateCard } from './validate-card.js';
import { verifyTree } from './verify.js';

export interface Publication {
  readonly id: string;
  readonly url: string;
  /** Null when there is none that this account can see. */
  readonly repository: Pick<RemoteRepository, 'commit' | 'private'> | null;
  readonly files: readonly LocalFile[];
  readonly origin: Origin | null;
  readonly changes: Changes;
  /** What the repository holds that is not of this model, as words; null when nothing is in the way. */
  readonly otherModel: string | null;
}

export interface PublishRules {
  /** A repository that is made is private, and one that is public is refused. */
  readonly isPrivate: boolean;
  /** Another model may be replaced. */
  readonly force: boolean;
}

export interface Published extends Uploaded {
  /** What was done, as it turned out. */
  readonly publication: Publication;
  readonly created: boolean;
}

/** @throws UsageError for an endpoint or a token that cannot be one; ByteifyError when the hub must not be used. */
export function openHubClient(options: HubOptions = {}): HubClient {
  const environment = options.environment ?? hubEnvironment();
  const { endpoint, token, offline } = environment;
  if (offline) {
    throw new ByteifyError('The hub must not be used: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set.', {
      hint: 'Unset it to publish.',
    });
  }
  const once = streamingFetch(options.fetch ?? globalThis.fetch);
  // No answer here is more than a listing: one that breaks off is asked for again.
  const fetch = hubFetch(environment, { ...options, fetch: once, wholeAnswers: true });
  return { endpoint, token, fetch, ...(options.signal && { signal: options.signal }) };
}

/** Looks at the repository and compares. */
async function compare(client: HubClient, wanted: Pick<Publication, 'id' | 'files' | 'origin'>): Promise<Publication> {
  const { id, files, origin } = wanted;
  const found = await lookUp(client, id);
  const there = found?.files ?? [];
  return {
    id,
    url: `${client.endpoint}/${id}`,
    repository: found === null ? null : { commit: found.commit, private: found.private },
    files,
    origin,
    changes: changesTo(there, files),
    otherModel: otherModel(there, files, { remote: found?.origin ?? null, local: origin }),
  };
}

/**
 * What a publish would change. Asks for nothing that writes.
 * @param params.files of the export
 * @param params.origin what the model was made from; null when that is not known, and then only the very same files are known again
 * @throws UsageError for a name that cannot be; ByteifyError when the hub refuses.
 */
export async function planPublication(
  client: HubClient,
  params: { repository: string; files: readonly LocalFile[]; origin: Origin | null },
): Promise<Publication> {
  return compare(client, { ...params, id: checkRepositoryName(params.repository) });
}

/** @throws ByteifyError for what only --force overwrites, and for a repository that is public though a private one is wanted. */
export function checkPublication(
  { id, repository, otherModel }: Publication,
  { isPrivate, force }: PublishRules,
): void {
  if (isPrivate && repository?.private === false) {
    throw new ByteifyError(`${id} is there already, and public.`, {
      hint: 'Make it private in its settings on the hub, or leave --private away.',
    });
  }
  if (otherModel === null || force) return;
  throw new ByteifyError(`${id} holds another model: ${otherModel}.`, {
    hint: 'Choose another name. --force replaces it; what it held stays in its history.',
  });
}

/** Makes the repository that the look did not find, and looks again: somebody else may have made it meanwhile. */
async function makeRepository(client: HubClient, publication: Publication, rules: PublishRules, account: Account) {
  const { id } = publication;
  const created = await createRepository(client, id, { isPrivate: rules.isPrivate, account });
  const now = await compare(client, publication);
  if (now.repository === null) {
    throw new ByteifyError(`${id} is taken by a repository that this account may not see.`, {
      hint: 'Choose another name.',
    });
  }
  checkPublication(now, rules);
  return { now, created };
}

/**
 * Makes the repository if need be, sends what changes, and looks whether everything arrived.
 * @param params.account of `writingAccount`
 * @param params.card the text of README.md
 * @throws ByteifyError when the hub refuses, or does not have every file as it is here; the signal's reason. The commit is one step: a
 * repository holds all of it or nothing.
 */
export async function publish(
  client: HubClient,
  publication: Publication,
  params: PublishRules & {
    readonly account: Account;
    readonly card: string;
    readonly onWarning?: (text: string) => void;
    readonly onProgress?: (progress: UploadProgress) => void;
    /** Told the bytes that went over the network, when the repository holds the files. */
    readonly onSent?: (bytes: number) => void;
  },
): Promise<Published> {
  checkPublication(publication, params);
  for (const text of await validateCard(client, params.card)) params.onWarning?.(text);
  const { now, created } =
    publication.repository === null
      ? await makeRepository(client, publication, params, params.account)
      : { now: publication, created: false };
  const uploaded = await upload(client, {
    id: now.id,
    title: 'Published with byteify',
    files: now.files,
    changes: now.changes,
    parentCommit: now.repository!.commit,
    onProgress: params.onProgress,
  });
  params.onSent?.(uploaded.sentBytes);
  const { files } = await remoteTree(client, now.id, uploaded.commit);
  verifyTree(files, now.files, now.changes.remove, now.id);
  return { ...uploaded, publication: now, created };
}
