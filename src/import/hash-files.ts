/** @module Size, time and sha256 of files, streamed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readlink, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { ByteifyError } from '../errors.js';
import { systemFailure } from '../system-errors.js';

export interface HashedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modified: string;
  readonly sha256: string;
}

interface HashOptions {
  readonly onProgress?: (event: { path: string; doneBytes: number; totalBytes: number }) => void;
  readonly signal?: AbortSignal;
  /** The files lie in the hub's cache, where a blob's name is its digest: it must be true. */
  readonly namedByDigest?: boolean;
}

const GIT_SHA1 = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** What a snapshot's file points at. Not where that may lead in turn: Python's client can share blobs under names of another kind. */
async function blobOf(path: string): Promise<string> {
  return resolve(dirname(path), await readlink(path).catch(() => path));
}

/** Blobs that another tool brought were perhaps never verified: Python's client checks their size alone. */
async function checkName(path: string, digests: { sha256: string; gitSha1: string }): Promise<void> {
  const blob = await blobOf(path);
  const name = basename(blob);
  const wanted = SHA256.test(name) ? digests.sha256 : GIT_SHA1.test(name) ? digests.gitSha1 : name;
  if (name === wanted) return;
  throw new ByteifyError(
    `${basename(path)} is damaged in the hub's cache: its bytes are not those it had on the hub.`,
    {
      hint: `Delete ${blob} and run the same command again.`,
    },
  );
}

/**
 * Reads every file once.
 * @throws ByteifyError when a blob of the cache does not have the digest that it is named by.
 */
export async function hashFiles(paths: readonly string[], options: HashOptions): Promise<HashedFile[]> {
  const { onProgress, signal, namedByDigest = false } = options;
  const stats = await Promise.all(
    paths.map((path) =>
      stat(path).catch((cause: unknown) => {
        throw systemFailure(cause, path) ?? cause;
      }),
    ),
  );
  const totalBytes = stats.reduce((sum, { size }) => sum + size, 0);
  const hashed: HashedFile[] = [];
  let doneBytes = 0;
  for (const [i, path] of paths.entries()) {
    const { size: sizeBytes, mtime } = stats[i]!;
    const sha256 = createHash('sha256');
    // Blobs named by git's sha1 are small: larger files are in large-file storage.
    const sha1 = namedByDigest && GIT_SHA1.test(basename(await blobOf(path))) ? createHash('sha1') : null;
    sha1?.update(`blob ${sizeBytes}\0`);
    for await (const chunk of createReadStream(path, { highWaterMark: 4 * 2 ** 20, signal })) {
      sha256.update(chunk as Buffer);
      sha1?.update(chunk as Buffer);
      doneBytes += (chunk as Buffer).length;
      onProgress?.({ path, doneBytes, totalBytes });
    }
    const digest = sha256.digest('hex');
    if (namedByDigest) await checkName(path, { sha256: digest, gitSha1: sha1?.digest('hex') ?? '' });
    hashed.push({ path, sizeBytes, modified: mtime.toISOString(), sha256: digest });
  }
  return hashed;
}
