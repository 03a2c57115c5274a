/** @module A file on its way: what has come so far lies beside its place, and its digest grows with it. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError } from '../fs/index.js';

/** sha256 of the content, or git's sha1 of it as a blob. */
export interface Digest {
  readonly kind: 'sha256' | 'git-sha1';
  readonly hex: string;
}

export interface Part {
  readonly doneBytes: () => number;
  /** @throws ByteifyError when the disk takes no more; what it has taken stays. */
  append(chunk: Uint8Array): Promise<void>;
  /** Forgets what has come. */
  restart(): Promise<void>;
  /** Whether the bytes are those of the digest; asked once, at the end. */
  isRight(): boolean;
  /** Gives the file its name. */
  finish(): Promise<void>;
  /** Leaves what has come for the next time. */
  close(): Promise<void>;
  remove(): Promise<void>;
}

const READ_BYTES = 2 ** 20;

/** Where the part of a blob lies. Python's client leaves this name alone. */
export const partPath = (blob: string) => `${blob}.incomplete`;

/** Goes on with what an earlier process left, hashed again, or begins anew. */
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
    isRight: () => doneBytes === sizeBytes && hash.digest('hex') === digest.hex,
    async finish() {
      // Without it a power cut can leave the name on a file with holes.
      await orDiskError(file.sync());
      const { size } = await file.stat();
      if (size !== sizeBytes) throw diskError(new Error(`it has ${size} bytes, not the ${sizeBytes} written`), path);
      await orDiskError(rename(path, blob));
    },
    close: () => file.close(),
    remove: () => rm(path, { force: true }),
  };
}
