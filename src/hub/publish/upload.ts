/** @module The commit: large files to the storage, then everything at once into the repository. */
import { type CommitOperation, type CommitOutput, type CommitProgressEvent, commitIter } from '@huggingface/hub';
import { ByteifyError } from '../../errors.js';
import { watchedBlob } from '../watched-blob.js';
import { type Changes, changesTo } from './changes.js';
import type { LocalFile } from './local-files.js';
import { Overtaken, publishError } from './publish-errors.js';
import { type HubClient, observedClient, type Refusal, unreachableHub } from './refusals.js';
import { BRANCH, remoteTree } from './remote-repository.js';
import { type UploadMeter, type UploadProgress, uploadMeter } from './upload-meter.js';

export interface Upload {
  readonly id: string;
  readonly title: string;
  /** All that the repository shall hold. */
  readonly files: readonly LocalFile[];
  readonly changes: Changes;
  /** The commit that the changes were found against: the hub refuses when another came in between. */
  readonly parentCommit: string;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

export interface Uploaded {
  readonly commit: string;
  /** Of the files that were sent now; not of those that the storage had from an earlier try. */
  readonly sentBytes: number;
}

/** The storage's links expire: a new round asks for new ones, and finds what was stored. */
const ROUNDS = 3;

/** The storage refused: a new round may help. */
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

/** Rejects with the first failure that is told of, and is rejected with nobody listening as well. */
function failureOf(): { readonly failed: Promise<never>; readonly fail: (reason: unknown) => void } {
  let fail: (reason: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  return { failed, fail };
}

/**
 * Takes the client's events until it is done. Its generator can lose an error that comes while events wait, and then never ends: so a
 * failure is heard where it happens, and what the generator still has to say is let go.
 */
async function consume(
  iterator: AsyncGenerator<CommitProgressEvent, CommitOutput | undefined>,
  failed: Promise<never>,
  onEvent: (event: CommitProgressEvent) => void,
): Promise<CommitOutput> {
  const all = async () => {
    for (;;) {
      const next = await iterator.next();
      if (next.done) return next.value!; // of a model there is always one
      onEvent(next.value);
    }
  };
  return Promise.race([all(), failed]);
}

/** One try with the links that the storage gives for it. */
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
    // Plain large-file storage: the way whose every byte this project's tests have seen arrive.
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

/** @returns the commit; the one that stands there when it is ours all the same. */
async function commitOf(client: HubClient, job: Upload, meter: UploadMeter): Promise<string> {
  for (let left = ROUNDS - 1; ; left--) {
    client.signal?.throwIfAborted();
    try {
      return await uploadOnce(client, job, meter);
    } catch (error) {
      if (error instanceof Overtaken) {
        const { commit, files } = await remoteTree(client, job.id, BRANCH);
        const { upload, remove } = changesTo(files, job.files);
        if (upload.length + remove.length > 0) throw error;
        return commit;
      }
      if (!(error instanceof StorageRefusal)) throw error;
      if (left > 0) continue;
      throw new ByteifyError(`The storage behind the hub does not take the files: it answered ${error.status}.`, {
        hint: 'Run the same command later: what was uploaded is not sent twice.',
      });
    }
  }
}

/**
 * Files stream from the disk; memory does not grow with them. What the storage has from an earlier try is not sent again. The commit is
 * one request at the end: before it nothing of the repository is changed, after it everything is.
 * @throws ByteifyError when the hub or the storage refuses, or the connection does not hold; the signal's reason.
 */
export async function upload(client: HubClient, job: Upload): Promise<Uploaded> {
  const { changes, parentCommit, onProgress } = job;
  if (changes.upload.length + changes.remove.length === 0) return { commit: parentCommit, sentBytes: 0 };
  const meter = uploadMeter(changes.upload, onProgress);
  const commit = await commitOf(client, job, meter);
  return { commit, sentBytes: meter.sentBytes() };
}
