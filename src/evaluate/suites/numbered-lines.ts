/** @module The lines of a text file with their numbers, which errors name. */
import { createReadStream } from 'node:fs';
import { linesOf } from '../../data/index.js';
import { UsageError } from '../../errors.js';

/** Longer lines are no records of any of the formats. */
const LONGEST_LINE = 2 ** 26;

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } catch (error) {
    // An error while reading, as of a folder, names no path.
    (error as NodeJS.ErrnoException).path ??= path;
    throw error;
  }
}

/** @param encoding default UTF-8 @throws UsageError for a line that is too long; a system error that names the path, if it cannot be read */
export async function* numberedLines(
  path: string,
  encoding: BufferEncoding = 'utf8',
): AsyncGenerator<{ readonly number: number; readonly line: string }> {
  let number = 0;
  for await (const bytes of linesOf(chunksOf(path), LONGEST_LINE)) {
    number++;
    if (bytes === null) throw new UsageError(`Line ${number} of ${path} is longer than ${LONGEST_LINE} bytes.`);
    yield { number, line: Buffer.from(bytes).toString(encoding).replace(/\r$/, '') };
  }
}
