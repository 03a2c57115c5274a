/** @module Hashes files as streams: size, modification time and sha256. */
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
  /** Whether the files are in the hub's cache, where each blob is named after its digest, which is then verified. */
  readonly namedByDigest?: boolean;
}

const GIT_SHA1 = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** The blob that a snapshot's file links to. Further links are not followed: Python's client can share blobs under other names. */
async function blobOf(path: string): Promise<string> {
  return resolve(dirname(path), await readlink(path).catch(() => path));
}

/** Blobs that another tool downloaded may be unverified: Python's client only checks their size. */
async function checkName(path: string, digests: { sha256: string; gitSha1: string }): Promise<void> {
  const blob = await blobOf(path);
  const name = basename(blob);
  const wanted = SHA256.test(name) ? digests.sha256 : GIT_SHA1.test(name) ? digests.gitSha1 : name;
  if (name === wanted) return;
  throw new ByteifyError(`${basename(path)} is damaged in the hub's cache: its bytes differ from those on the hub.`, {
    hint: `Delete ${blob} and run the same command again.`,
  });
}

/**
 * Hashes the files, reading each once.
 * @returns path, size in bytes, modification time (ISO 8601) and sha256 (hex) of each file.
 * @throws ByteifyError if a file cannot be read, or a blob in the cache does not match the digest in its name; the signal's reason.
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
    // Blobs that are named after git's sha1 are small, since larger files are in large-file storage.
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
