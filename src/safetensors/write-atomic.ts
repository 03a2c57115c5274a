/** @module Writes a file so that it is either complete or absent: a temporary name, a flush, a rename. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ByteifyError, messageOf } from '../errors.js';
import { systemFailure } from '../system-errors.js';

/** A write call may write less than it is given. Chunks of this size keep the writing interruptible. */
const WRITE_BYTES = 64 * 2 ** 20;

export type Write = (bytes: Uint8Array) => Promise<void>;

/** A hidden name beside the file, so that the rename stays on one file system. It is unique among writers. */
function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
}

async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.length - done, WRITE_BYTES));
    done += bytesWritten;
  }
}

/**
 * Writes a file atomically.
 * @param produce passes the contents, chunk by chunk, to the function it receives.
 * @throws ByteifyError when writing fails, and whatever `produce` throws; the temporary file is removed and `path` is unchanged.
 */
export async function writeAtomic(path: string, produce: (write: Write) => Promise<void>): Promise<void> {
  const refuse = (cause: unknown): never => {
    throw systemFailure(cause, path) ?? new ByteifyError(`${path} cannot be written: ${messageOf(cause)}.`, { cause });
  };
  const temporary = temporaryName(path);
  const file = await open(temporary, 'wx').catch(refuse);
  try {
    try {
      await produce((bytes) => writeFully(file, bytes).catch(refuse));
      await file.sync().catch(refuse);
    } finally {
      await file.close();
    }
    await rename(temporary, path).catch(refuse);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
