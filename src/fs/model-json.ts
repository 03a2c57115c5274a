/** @module Reads the JSON files that come with a model, which any program may have written, or rejects them with the reason. */
import { readFile } from 'node:fs/promises';
import { ByteifyError } from '../errors.js';
import { danglingLink, systemCode, systemFailure } from '../system-errors.js';
import { refuseForeignContent } from './foreign-content.js';

export type JsonObject = Record<string, unknown>;

/** Matches string literals with their contents, so that only JSON's own syntax is left when they are removed. */
const STRINGS = /"(?:[^"\\]|\\.)*"/g;

/** What other programs write instead of JSON, searched outside string literals. The first match applies. */
const FAULTS: readonly { readonly found: RegExp; readonly what: string }[] = [
  { found: /\0/, what: 'it contains zero bytes, as in a file that was not completely written' },
  { found: /-?\b(NaN|Infinity)\b/, what: 'it contains {}, which Python writes and JSON does not have' },
  { found: /\b(True|False|None)\b/, what: 'it contains {}, as Python prints a dict' },
  { found: /'/, what: 'it has single quotes, as Python prints a dict' },
  { found: /\/\/|\/\*/, what: 'it contains a comment' },
  { found: /,\s*[}\]]/, what: 'it has a comma after the last item of a list or an object' },
];

const count = (text: string, characters: RegExp) => text.match(characters)?.length ?? 0;

/** Why a text is not JSON, with the line number; null when none of the usual reasons applies. */
function jsonFault(text: string): string | null {
  if (text.startsWith('\uFEFF')) return 'it begins with a byte order mark';
  // Keep newlines, so that lines can be counted.
  const grammar = text.replace(STRINGS, (string) => `"${'\n'.repeat(count(string, /\n/g))}"`);
  for (const { found, what } of FAULTS) {
    const match = found.exec(grammar);
    if (match === null) continue;
    const line = count(grammar.slice(0, match.index), /\n/g) + 1;
    return `${what.replace('{}', match[0])} (line ${line})`;
  }
  const isOpen = count(grammar, /[{[]/g) > count(grammar, /[}\]]/g);
  return isOpen ? 'it is truncated' : null;
}

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
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const fault = jsonFault(text);
    throw new ByteifyError(`${path} is not JSON${fault === null ? '' : `: ${fault}`}.`, { hint, cause });
  }
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
