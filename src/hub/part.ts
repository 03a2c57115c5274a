/** @module A partly downloaded file, kept beside its final path and hashed while it grows. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError } from '../fs/index.js';

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
  /** Closes the file and keeps it, so that the download can be resumed. */
  close(): Promise<void>;
  remove(): Promise<void>;
}

const READ_BYTES = 2 ** 20;

/** The path of a blob's partial file. Python's client does not touch files with this name. */
export const partPath = (blob: string) => `${blob}.incomplete`;

/**
 * Opens the partial file of a blob: hashes what an earlier process left and continues from there, or starts empty.
 * @param target.blob the final path; `sizeBytes` and `digest` are the expected ones.
 * @throws ByteifyError if the disk refuses.
 */
export async function openPart(target: { blob: string; sizeBytes: number; digest: Digest }): Promise<Part> {
  const { blob, sizeBytes, digest } = target;
  const path = partPath(blob);
  const begin = (): Hash =>
    digest.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`);
  const orDiskError = <Value>(work: Promise<Value>) =>
    work.catch((cause: unknown) => {
      throw diskError(cause, path);
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
      if (size !== sizeBytes) throw diskError(new Error(`it has ${size} bytes, but ${sizeBytes} were written`), path);
      await orDiskError(rename(path, blob));
    },
    close: () => file.close(),
    remove: () => rm(path, { force: true }),
  };
}
