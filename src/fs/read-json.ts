/** @module Reads back a JSON file that an earlier command wrote: complete and of the expected shape, or rejected with the reason. */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ByteifyError } from '../errors.js';
import { danglingLink, namingPath, systemCode, systemFailure } from '../system-errors.js';
import { parseJson } from './parse-json.js';

export interface WrittenFile<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** What the file should be; completes the message "PATH is not ...": `the state of a training run`. */
  readonly what: string;
  /** What to do when the file is unusable. */
  readonly hint: string;
}

/** The text of a file; null when it does not exist. @throws ByteifyError naming a file that exists but cannot be read, or a dangling link. */
export async function readTextIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    const code = systemCode(error);
    const isAbsent = code === 'ENOTDIR' || (code === 'ENOENT' && danglingLink(path) === null);
    if (isAbsent) return null;
    throw systemFailure(namingPath(error, { path }), path) ?? error;
  });
}

/**
 * Parses the text of a file that an earlier command wrote.
 * @param path names the file in errors
 * @throws ByteifyError naming the file, what is wrong with it, and what to do
 */
export function parseWritten<Schema extends z.ZodType>(
  text: string,
  path: string,
  { schema, what, hint }: WrittenFile<Schema>,
): z.output<Schema> {
  if (text.trim() === '') throw new ByteifyError(`${path} is empty.`, { hint });
  const parsed = schema.safeParse(parseJson(text, path, hint));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'top level' : issue.path.join('.');
  throw new ByteifyError(`${path} is not ${what}: ${where}: ${issue?.message}.`, { hint, cause: parsed.error });
}

/** @returns null when the file does not exist. @throws ByteifyError when it cannot be read or is invalid. */
export async function readJsonIfThere<Schema extends z.ZodType>(
  path: string,
  file: WrittenFile<Schema>,
): Promise<z.output<Schema> | null> {
  const text = await readTextIfThere(path);
  return text === null ? null : parseWritten(text, path, file);
}

/** @throws ByteifyError when the file is missing, cannot be read or is invalid. */
export async function readJson<Schema extends z.ZodType>(
  path: string,
  file: WrittenFile<Schema>,
): Promise<z.output<Schema>> {
  const found = await readJsonIfThere(path, file);
  if (found === null) throw new ByteifyError(`${path} is missing.`, { hint: file.hint });
  return found;
}

/** The value that a text writes in JSON; null if it is not JSON, as a line that a killed process left incomplete. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
