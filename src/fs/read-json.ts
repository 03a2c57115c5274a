/** @module A JSON file that an earlier command left, read back: whole and of the expected shape, or refused with the reason. */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ByteifyError } from '../errors.js';
import { danglingLink, namingPath, systemCode, systemFailure } from '../system-errors.js';

export interface WrittenFile<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** What the file should be, to go on "it is not ": `the state of a training run`. */
  readonly what: string;
  /** What to do when it cannot be used. */
  readonly hint: string;
}

/** The text of a file; null when there is none. @throws ByteifyError naming a file that is there and cannot be read, a link to nothing. */
export async function readTextIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    const code = systemCode(error);
    const isAbsent = code === 'ENOTDIR' || (code === 'ENOENT' && danglingLink(path) === null);
    if (isAbsent) return null;
    throw systemFailure(namingPath(error, { path }), path) ?? error;
  });
}

/**
 * Parses what `readJson` and `readJsonIfThere` read.
 * @param path names the file in errors
 * @throws ByteifyError naming the file, what is wrong with it, and what to do
 */
export function parseJson<Schema extends z.ZodType>(
  text: string,
  path: string,
  { schema, what, hint }: WrittenFile<Schema>,
): z.output<Schema> {
  if (text.trim() === '') throw new ByteifyError(`${path} is empty.`, { hint });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ByteifyError(`${path} is not JSON; it is damaged or cut short.`, { hint, cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'top level' : issue.path.join('.');
  throw new ByteifyError(`${path} is not ${what}: ${where}: ${issue?.message}.`, { hint, cause: parsed.error });
}

/** @returns null when there is no such file. @throws ByteifyError for a file that cannot be read or used. */
export async function readJsonIfThere<Schema extends z.ZodType>(
  path: string,
  file: WrittenFile<Schema>,
): Promise<z.output<Schema> | null> {
  const text = await readTextIfThere(path);
  return text === null ? null : parseJson(text, path, file);
}

/** @throws ByteifyError for a file that is missing, cannot be read or cannot be used. */
export async function readJson<Schema extends z.ZodType>(
  path: string,
  file: WrittenFile<Schema>,
): Promise<z.output<Schema>> {
  const found = await readJsonIfThere(path, file);
  if (found === null) throw new ByteifyError(`${path} is missing.`, { hint: file.hint });
  return found;
}
