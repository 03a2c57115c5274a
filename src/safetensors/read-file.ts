/** @module Opens one safetensors file: the header is read immediately, tensors on demand. */
import { constants } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ByteifyError, messageOf } from '../errors.js';
import { BEGINNING_BYTES, readFully, refuseForeignContent } from '../fs/index.js';
import { systemFailure } from '../system-errors.js';
import { headerLength, LENGTH_BYTES, OPENING_BRACE, parseHeader } from './header.js';
import { quoted } from './quoted.js';
import { type ByteRange, type TensorReader, tensorBytes } from './types.js';

/** Checks a byte range against its tensor and against the size limit of one array (4 GiB in Node 20). @throws ByteifyError */
export function checkRange(name: string, size: number, { offset, length }: ByteRange): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > size
  )
    throw new ByteifyError(
      `Bytes ${offset} to ${offset + length} lie outside tensor ${quoted(name)} of ${size} bytes.`,
    );
  if (length > constants.MAX_LENGTH)
    throw new ByteifyError(
      `Tensor ${quoted(name)} has ${length} bytes, more than one array can hold: read it in ranges.`,
    );
}

/**
 * Opens a regular file for reading. It refuses anything else, since opening a pipe would wait for a writer and a folder cannot be read.
 * @throws ByteifyError when it is absent, not a file, or not readable.
 */
export async function openFile(path: string): Promise<FileHandle> {
  const refuse = (cause: unknown): never => {
    throw systemFailure(cause, path) ?? new ByteifyError(`${path} cannot be opened: ${messageOf(cause)}.`, { cause });
  };
  if (!(await stat(path).catch(refuse)).isFile()) throw new ByteifyError(`${path} is not a file.`);
  return open(path, 'r').catch(refuse);
}

/** Opens a safetensors file. @throws ByteifyError when the file is absent, unreadable or invalid. */
export async function openSafetensorsFile(path: string): Promise<TensorReader> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const beginning = new Uint8Array(Math.min(BEGINNING_BYTES, size));
    await readFully(file, beginning, 0, path);
    if (beginning[LENGTH_BYTES] !== OPENING_BRACE) refuseForeignContent(beginning, path);
    const length = headerLength(beginning.subarray(0, LENGTH_BYTES), size, path);
    const json = new Uint8Array(length);
    await readFully(file, json, LENGTH_BYTES, path);
    const dataStart = LENGTH_BYTES + length;
    const { tensors, metadata } = parseHeader(json, size - dataStart, path);
    return {
      tensors,
      metadata,
      async read(name, range) {
        const tensor = tensors.get(name);
        if (tensor === undefined) throw new ByteifyError(`${path} lacks the tensor ${quoted(name)}.`);
        const { offset, length } = range ?? { offset: 0, length: tensorBytes(tensor) };
        checkRange(name, tensorBytes(tensor), { offset, length });
        const bytes = new Uint8Array(length);
        await readFully(file, bytes, dataStart + tensor.begin + offset, path);
        return bytes;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
