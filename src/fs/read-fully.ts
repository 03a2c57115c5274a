/** @module Reads a range of a file to its end: one read may return fewer bytes than it was asked for. */
import type { FileHandle } from 'node:fs/promises';
import { ByteifyError, messageOf } from '../errors.js';
import { systemFailure } from '../system-errors.js';
import { counted } from '../ui/format.js';

/** Node reads at most 2 GiB per call. Smaller reads are as fast and can be interrupted. */
const READ_BYTES = 64 * 2 ** 20;

const CHANGED = 'The file changed while it was being read, or the disk failed.';

/**
 * Fills `target` from the given byte position of the file.
 * @param path names the file in errors; @param hint what to do when the file ends early.
 * @throws ByteifyError when the file cannot be read or ends early.
 */
export async function readFully(
  file: FileHandle,
  target: Uint8Array,
  position: number,
  path: string,
  hint = CHANGED,
): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const length = Math.min(READ_BYTES, target.length - done);
    const { bytesRead } = await file.read(target, done, length, position + done).catch((cause) => {
      throw systemFailure(cause, path) ?? new ByteifyError(`${path} cannot be read: ${messageOf(cause)}.`, { cause });
    });
    if (bytesRead === 0)
      throw new ByteifyError(`${path} ended ${counted(target.length - done, 'byte')} early.`, { hint });
    done += bytesRead;
  }
}
