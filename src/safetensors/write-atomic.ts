/** @module A file that is whole or absent: written under a temporary name, flushed, renamed. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ByteifyError, messageOf } from '../errors.js';
import { systemFailure } from '../system-errors.js';

/** A write call may take less than it is given; pieces of this size keep it interruptible. */
const WRITE_BYTES = 64 * 2 ** 20;

export type Write = (bytes: Uint8Array) => Promise<void>;

/** Hidden, beside the file so that the rename stays on one file system, and unlike any other writer's. */
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
 * @param produce gives the contents, piece after piece, to the function it is called with.
 * @throws ByteifyError when the disk refuses, and what `produce` throws; the temporary file is gone then, and `path` as it was.
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
