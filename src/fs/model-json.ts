/** @module Reads the JSON files that come with a model, which any program may have written, or rejects them with the reason. */
import { readFile } from 'node:fs/promises';
import { ByteifyError } from '../errors.js';
import { danglingLink, systemCode, systemFailure } from '../system-errors.js';
import { refuseForeignContent } from './foreign-content.js';
import { parseJson } from './parse-json.js';

export type JsonObject = Record<string, unknown>;

/**
 * Parses a JSON file of a model.
 * @param bytes the whole file; @param path names it in errors; @param hint what to do when it is broken.
 * @throws ByteifyError when the file is not a JSON object, naming what it is instead: a git-lfs pointer, a web page, Python's NaN, half a file.
 */
export function parseModelJson(bytes: Uint8Array, path: string, hint: string): JsonObject {
  refuseForeignContent(bytes, path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ByteifyError(`${path} is not UTF-8 text.`, { hint, cause });
  }
  const json = parseJson(text, path, hint);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ByteifyError(`${path} is not a JSON object.`, { hint });
  return json as JsonObject;
}

/**
 * Reads and parses a JSON file of a model.
 * @returns null when the file does not exist.
 * @throws ByteifyError as parseModelJson does, and when the file cannot be read: no permission, a folder, a dangling link.
 */
export async function readModelJson(path: string, hint: string): Promise<JsonObject | null> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const isAbsent = systemCode(cause) === 'ENOTDIR' || (systemCode(cause) === 'ENOENT' && danglingLink(path) === null);
    if (isAbsent) return null;
    throw systemFailure(cause, path) ?? cause;
  });
  return bytes === null ? null : parseModelJson(bytes, path, hint);
}
