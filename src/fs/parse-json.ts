/** @module Parses JSON text, or explains what is wrong with it. */
import { ByteifyError } from '../errors.js';
import { jsonFault } from './json-fault.js';

/** What is wrong with a text that JSON.parse rejects, and where; completes "it is not JSON: ...". */
export function explainJson(text: string): string {
  const { what, line, character } = jsonFault(text);
  return character === null ? what : `${what}, at character ${character} of line ${line + 1}`;
}

/**
 * Parses a file of JSON.
 * @param path names the file in errors; @param hint what to do when it is broken.
 * @throws ByteifyError when the text is not JSON, naming what it has instead: Python's NaN, single quotes, a comment, a missing end.
 */
export function parseJson(text: string, path: string, hint: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ByteifyError(`${path} is not JSON: ${explainJson(text)}.`, { hint, cause });
  }
}
