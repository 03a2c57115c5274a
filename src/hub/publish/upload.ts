/** @module Uploads large files to the storage, then commits all changes to the repository at once. */
import { type CommitOperation, type CommitOutput, type CommitProgressEvent, commitIter } from '@huggingface/hub';
import { ByteifyError } from '../../errors.js';
import { watchedBlob } from '../../net/index.js';
import { type Changes, changesTo } from './changes.js';
import type { LocalFile } from './local-files.js';
import { ConflictingCommit, publishError } from './publish-errors.js';
import { type HubClient, observedClient, type Refusal, unreachableHub } from './refusals.js';
import { BRANCH, remoteTree } from './remote-repository.js';
import { type UploadMeter, type UploadProgress, uploadMeter } from './upload-meter.js';

export interface Upload {
  readonly id: string;
  readonly title: string;
  /** All files that the repository should contain afterwards. */
  readonly files: readonly LocalFile[];
  readonly changes: Changes;
  /** The commit that the changes are based on; the hub refuses if there is a newer one. */
  readonly parentCommit: string;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

export interface Uploaded {
  readonly commit: string;
  /** Bytes of the files that were sent now, without those that the storage had from an earlier attempt. */
  readonly sentBytes: number;
}

/** The storage's links expire. A new round requests new ones and skips stored files. */
const ROUNDS = 3;

/** The storage refused a file; a new round may succeed. */
class StorageRefusal extends Error {
  readonly status: number;

  constructor({ status }: Refusal) {
    super(`the storage answered ${status}`);
    this.status = status;
  }
}

function operations({ upload, remove }: Changes): CommitOperation[] {
  return [
    ...upload.map(({ path, content }) => ({ operation: 'addOrUpdate' as const, path, content })),
    ...remove.map((path) => ({ operation: 'delete' as const, path })),
  ];
}

/** A promise that `fail` rejects. It causes no unhandled rejection if nobody listens. */
function failureOf(): { readonly failed: Promise<never>; readonly fail: (reason: unknown) => void } {
  let fail: (reason: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  return { failed, fail };
}

/**
 * Consumes the client's events until it is done. Its generator can lose an error that occurs while events are queued, and then never ends.
 * So failures are caught where they occur, and the generator's remaining events are dropped.
 */
async function consume(
  iterator: AsyncGenerator<CommitProgressEvent, CommitOutput | undefined>,
  failed: Promise<never>,
  onEvent: (event: CommitProgressEvent) => void,
): Promise<CommitOutput> {
  const all = async () => {
    for (;;) {
      const next = await iterator.next();
      if (next.done) return next.value!; // a model repository always has a commit
      onEvent(next.value);
    }
  };
  return Promise.race([all(), failed]);
}

/** One attempt, with newly requested storage links. */
async function uploadOnce(client: HubClient, { id, title, changes, parentCommit }: Upload, meter: UploadMeter) {
  const { failed, fail } = failureOf();
  const stop = new AbortController();
  const onAbort = () => fail(client.signal?.reason);
  client.signal?.addEventListener('abort', onAbort);
  const watched = observedClient(client, (refusal) =>
    fail(refusal.byHub ? publishError(refusal, id, client.endpoint) : new StorageRefusal(refusal)),
  );
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = String(input);
    const body = init?.body instanceof Blob ? watchedBlob(init.body, (bytes) => meter.onSent(url, bytes)) : init?.body;
    return watched.fetch(input, { ...init, ...(body && { body }) }).catch((error: unknown) => {
      fail(unreachableHub(client, error));
      throw error;
    });
  };
  const iterator = commitIter({
    repo: id,
    branch: BRANCH,
    title,
    parentCommit,
    operations: operations(changes),
    hubUrl: client.endpoint,
    fetch,
    abortSignal: stop.signal,
    // Plain large-file storage, the protocol that this project's tests cover.
    useXet: false,
  });
  try {
    const { commit } = await consume(iterator, failed, meter.onEvent);
    return commit.oid;
  } catch (error) {
    throw error instanceof StorageRefusal ? error : unreachableHub(client, error);
  } finally {
    client.signal?.removeEventListener('abort', onAbort);
    stop.abort();
  }
}

/** @returns the new commit, or the existing one if its files already match. */
async function commitOf(client: HubClient, job: Upload, meter: UploadMeter): Promise<string> {
  for (let left = ROUNDS - 1; ; left--) {
    client.signal?.throwIfAborted();
    try {
      return await uploadOnce(client, job, meter);
    } catch (error) {
      if (error instanceof ConflictingCommit) {
        const { commit, files } = await remoteTree(client, job.id, BRANCH);
        const { upload, remove } = changesTo(files, job.files);
        if (upload.length + remove.length > 0) throw error;
        return commit;
      }
      if (!(error instanceof StorageRefusal)) throw error;
      if (left > 0) continue;
      throw new ByteifyError(`The storage behind the hub rejected the files: it answered ${error.status}.`, {
        hint: 'Run the same command again later; uploaded files are not sent twice.',
      });
    }
  }
}

/**
 * Uploads the changed files and commits them. Files are streamed from disk, so memory use does not depend on their size. Files that the
 * storage has from an earlier attempt are not sent again. The commit is a single request at the end, so the repository has all changes or none.
 * @throws ByteifyError if the hub or the storage refuses, or the connection fails; the signal's reason.
 */
export async function upload(client: HubClient, job: Upload): Promise<Uploaded> {
  const { changes, parentCommit, onProgress } = job;
  if (changes.upload.length + changes.remove.length === 0) return { commit: parentCommit, sentBytes: 0 };
  const meter = uploadMeter(changes.upload, onProgress);
  const commit = await commitOf(client, job, meter);
  return { commit, sentBytes: meter.sentBytes() };
}
