/** @module A partly downloaded file, kept beside its final path and hashed while it grows. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError, type FolderVariable } from '../fs/index.js';

/** sha256 of the content, or git's sha1 of the content as a blob. */
export interface Digest {
  readonly kind: 'sha256' | 'git-sha1';
  readonly hex: string;
}

export interface Part {
  readonly doneBytes: () => number;
  /** Appends bytes. @throws ByteifyError if the disk is full; the bytes before stay. */
  append(chunk: Uint8Array): Promise<void>;
  /** Discards all bytes. */
  restart(): Promise<void>;
  /** Whether size and digest are correct. Call it once, at the end. */
  isCorrect(): boolean;
  /** Syncs the file and renames it to its final path. @throws ByteifyError if the disk lost bytes. */
  finish(): Promise<void>;
  /** Closes the file and keeps it, unless it is empty, so that the download can be resumed. */
  close(): Promise<void>;
  remove(): Promise<void>;
}

const READ_BYTES = 2 ** 20;

/** The name of a partial file. Python's hub client does not touch files with this name. */
export const partPath = (path: string) => `${path}.incomplete`;

export interface PartTarget {
  /** The path of the complete file. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly digest: Digest;
  /** The environment variable that moves the file to another disk, for the message when this one is full. */
  readonly folderVariable: FolderVariable;
}

/**
 * Opens the partial file of a target: hashes what an earlier process left and continues from there, or starts empty.
 * @throws ByteifyError if the disk refuses.
 */
export async function openPart({ path: target, sizeBytes, digest, folderVariable }: PartTarget): Promise<Part> {
  const path = partPath(target);
  const begin = (): Hash =>
    digest.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`);
  const orDiskError = <Value>(work: Promise<Value>) =>
    work.catch((cause: unknown) => {
      throw diskError(cause, path, folderVariable);
    });
  await orDiskError(mkdir(dirname(path), { recursive: true }));
  const file = await orDiskError(open(path, 'a'));
  let hash = begin();
  let doneBytes = 0;
  const restart = async () => {
    await orDiskError(file.truncate(0));
    hash = begin();
    doneBytes = 0;
  };
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
      hash.update(chunk as Buffer);
      doneBytes += (chunk as Buffer).length;
    }
    if (doneBytes > sizeBytes) await restart();
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    doneBytes: () => doneBytes,
    async append(chunk) {
      await orDiskError(file.appendFile(chunk));
      hash.update(chunk);
      doneBytes += chunk.length;
    },
    restart,
    isCorrect: () => doneBytes === sizeBytes && hash.digest('hex') === digest.hex,
    async finish() {
      // Without a sync, a power failure could leave a file with holes under the final name.
      await orDiskError(file.sync());
      const { size } = await file.stat();
      if (size !== sizeBytes)
        throw diskError(new Error(`it has ${size} bytes, but ${sizeBytes} were written`), path, folderVariable);
      await orDiskError(rename(path, target));
    },
    async close() {
      await file.close();
      if (doneBytes === 0) await rm(path, { force: true });
    },
    remove: () => rm(path, { force: true }),
  };
}
