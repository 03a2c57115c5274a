/** @module The bytes that a verb works on. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { UsageError } from '../errors.js';

/**
 * A file's bytes, or standard input's when no file is named.
 * @param hint for who gave neither
 * @throws UsageError when there is nothing to read.
 */
export async function readInput(file: string | undefined, hint = 'Name a file, or pipe text in.'): Promise<Uint8Array> {
  if (file === undefined && process.stdin.isTTY) {
    throw new UsageError('No file was named and standard input is a terminal.', { hint });
  }
  const bytes = await (file === undefined ? buffer(process.stdin) : readFile(file)).catch((cause) => {
    throw unreadable(file ?? 'Standard input', cause);
  });
  if (bytes.length === 0)
    throw new UsageError(`${file ?? 'standard input'} is empty.`, { hint: 'There must be at least one byte.' });
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
