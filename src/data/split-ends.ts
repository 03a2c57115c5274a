/** @module Reads a file of end offsets: 8-byte little-endian floats, exact to 2^53. */
import { type FileHandle, open } from 'node:fs/promises';
import { ByteifyError } from '../errors.js';
import { readFully } from '../fs/index.js';
import { systemFailure } from '../system-errors.js';

/** Opens a file for reading. @param hint what to do if it cannot be opened. @throws ByteifyError */
export async function openToRead(path: string, hint: string): Promise<FileHandle> {
  return open(path, 'r').catch((cause: unknown) => {
    const failure = systemFailure(cause, path);
    throw failure === null ? cause : new ByteifyError(failure.message, { hint, cause });
  });
}

/** Checks that the ends are increasing whole numbers; others would give document chunks of wrong lengths. */
function checkEnds(path: string, ends: Float64Array, hint: string): void {
  let before = 0;
  for (const [chunk, end] of ends.entries()) {
    if (!Number.isSafeInteger(end) || end <= before) {
      throw new ByteifyError(`${path} is damaged: document chunk ${chunk} would end at ${end}, after ${before}.`, {
        hint,
      });
    }
    before = end;
  }
}

/** @throws ByteifyError if the file is missing, damaged or truncated */
export async function readEnds(path: string, hint: string): Promise<Float64Array> {
  const file = await openToRead(path, hint);
  try {
    const { size } = await file.stat();
    if (size % Float64Array.BYTES_PER_ELEMENT !== 0) {
      throw new ByteifyError(`${path} is truncated: ${size} bytes is not a multiple of 8.`, { hint });
    }
    const ends = new Float64Array(size / Float64Array.BYTES_PER_ELEMENT);
    await readFully(file, new Uint8Array(ends.buffer), 0, path, hint);
    checkEnds(path, ends, hint);
    return ends;
  } finally {
    await file.close();
  }
}
