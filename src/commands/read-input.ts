/** @module The bytes that a verb works on. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { UsageError } from '../errors.js';

/**
 * A file's bytes, or standard input's when no file is named.
 * @throws UsageError when there is nothing to read.
 */
export async function readInput(file: string | undefined): Promise<Uint8Array> {
  if (file === undefined && process.stdin.isTTY) {
    throw new UsageError('No file was named and standard input is a terminal.', {
      hint: 'Name a file, or pipe text in.',
    });
  }
  const bytes = await (file === undefined ? buffer(process.stdin) : readFile(file)).catch(
    (cause: NodeJS.ErrnoException) => {
      throw new UsageError(`${file ?? 'standard input'} cannot be read: ${cause.code ?? cause.message}.`, { cause });
    },
  );
  if (bytes.length === 0)
    throw new UsageError(`${file ?? 'standard input'} is empty.`, { hint: 'There must be at least one byte.' });
  return new Uint8Array(bytes);
}
