/** @module Reads the input of a verb. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { UsageError } from '../errors.js';

/**
 * Reads the bytes of a file, or of standard input when no file is named.
 * @param hint for the error when there is neither
 * @throws UsageError when there is nothing to read, or the file cannot be read.
 */
export async function readInput(file: string | undefined, hint = 'Name a file, or pipe text in.'): Promise<Uint8Array> {
  if (file === undefined && process.stdin.isTTY) {
    throw new UsageError('No file was named and standard input is a terminal.', { hint });
  }
  const bytes = await (file === undefined ? buffer(process.stdin) : readFile(file)).catch((cause) => {
    throw unreadable(file ?? 'Standard input', cause);
  });
  if (bytes.length === 0)
    throw new UsageError(`${file ?? 'Standard input'} is empty.`, { hint: 'The input must have at least one byte.' });
  return new Uint8Array(bytes);
}

function unreadable(name: string, cause: NodeJS.ErrnoException): UsageError {
  if (cause.code === 'ENOENT')
    return new UsageError(`${name} does not exist.`, { hint: 'Name a file of bytes, or pipe text in.', cause });
  if (cause.code === 'EISDIR')
    return new UsageError(`${name} is a folder.`, { hint: 'Name one file in it, or pipe text in.', cause });
  const hint = 'Check the permissions of the file and of its folder.';
  return new UsageError(`${name} cannot be read: ${cause.code ?? cause.message}.`, { hint, cause });
}
