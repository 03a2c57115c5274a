/** @module Publishes a folder's files to a repository on the hub: plans the changes first, then makes them. */
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
  /** Null if there is no repository that this account can see. */
  readonly repository: Pick<RemoteRepository, 'commit' | 'private'> | null;
  readonly files: readonly LocalFile[];
  readonly origin: Origin | null;
  readonly changes: Changes;
  /** Describes another model in the repository; null if there is none. */
  readonly otherModel: string | null;
}

export interface PublishRules {
  /** A new repository becomes private, and an existing public one is refused. */
  readonly isPrivate: boolean;
  /** Allows another model to be replaced. */
  readonly force: boolean;
}

export interface Published extends Uploaded {
  /** The publication as it was carried out. */
  readonly publication: Publication;
  readonly created: boolean;
}

/**
 * Opens a client for publishing.
 * @throws UsageError if the endpoint or the token is invalid; ByteifyError in offline mode.
 */
export function openHubClient(options: HubOptions = {}): HubClient {
  const environment = options.environment ?? hubEnvironment();
  const { endpoint, token, offline } = environment;
  if (offline) {
    throw new ByteifyError('Publishing needs the hub, but HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set.', {
      hint: 'Unset it to publish.',
    });
  }
  const once = streamingFetch(options.fetch ?? globalThis.fetch);
  // The largest response is a file list, so responses can be buffered and retried if they are truncated.
  const fetch = hubFetch(environment, { ...options, fetch: once, bufferResponses: true });
  return { endpoint, token, fetch, ...(options.signal && { signal: options.signal }) };
}

/** Reads the repository and compares it with the local files. */
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
 * Determines what publishing would change, without writing anything.
 * @param params.files of the export.
 * @param params.origin of the model; if it is null, an earlier version is recognised only by identical files.
 * @throws UsageError if the repository's name is invalid; ByteifyError if the hub refuses.
 */
export async function planPublication(
  client: HubClient,
  params: { repository: string; files: readonly LocalFile[]; origin: Origin | null },
): Promise<Publication> {
  return compare(client, { ...params, id: checkRepositoryName(params.repository) });
}

/** @throws ByteifyError if the repository contains another model and `force` is off, or if it is public but should be private. */
export function checkPublication(
  { id, repository, otherModel }: Publication,
  { isPrivate, force }: PublishRules,
): void {
  if (isPrivate && repository?.private === false) {
    throw new ByteifyError(`${id} already exists and is public.`, {
      hint: 'Make it private in its settings on the hub, or omit --private.',
    });
  }
  if (otherModel === null || force) return;
  throw new ByteifyError(`${id} contains another model: ${otherModel}.`, {
    hint: 'Choose another name, or replace it with --force; its files stay in the history.',
  });
}

/** Creates the missing repository and compares again, since somebody else may have created it meanwhile. */
async function createAndCompare(client: HubClient, publication: Publication, rules: PublishRules, account: Account) {
  const { id } = publication;
  const created = await createRepository(client, id, { isPrivate: rules.isPrivate, account });
  const now = await compare(client, publication);
  if (now.repository === null) {
    throw new ByteifyError(`The name ${id} is taken by a repository that this account may not see.`, {
      hint: 'Choose another name.',
    });
  }
  checkPublication(now, rules);
  return { now, created };
}

/**
 * Creates the repository if necessary, uploads the changes and verifies the result.
 * @param params.account the result of `writingAccount`.
 * @param params.card the text of README.md.
 * @throws ByteifyError if the hub refuses, or if its files differ from the local ones afterwards; the signal's reason. The commit is atomic:
 * the repository has all changes or none.
 */
export async function publish(
  client: HubClient,
  publication: Publication,
  params: PublishRules & {
    readonly account: Account;
    readonly card: string;
    readonly onWarning?: (text: string) => void;
    readonly onProgress?: (progress: UploadProgress) => void;
    /** Called after the commit with the number of bytes that were sent. */
    readonly onSent?: (bytes: number) => void;
  },
): Promise<Published> {
  checkPublication(publication, params);
  for (const text of await validateCard(client, params.card)) params.onWarning?.(text);
  const { now, created } =
    publication.repository === null
      ? await createAndCompare(client, publication, params, params.account)
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
