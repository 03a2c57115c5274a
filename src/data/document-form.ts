/** @module How a file holds its documents, told by its contents; the name only says what is wrong where they are neither. */
import { type ChunkReader, HEAD_BYTES, headOf } from './chunk-reader.js';
import { withoutCompression } from './file-chunks.js';
import { MAX_VALUE_BYTES } from './json-values.js';

/** The file is one document; each line is a JSON record; the file is one JSON value or several, of any number of lines. */
export type DocumentForm = 'text' | 'lines' | 'values';

const NEWLINE = 0x0a;
const LINES_NAME = /\.(jsonl|ndjson|jsonlines|jl)$/;
const JSON_NAME = /\.json$/;
/** An object with a key, or an array of such: prose, source code and wikitext begin otherwise. */
const BEGINS_AS_OBJECT = /^\s*\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\}\s*$)/;
const BEGINS_AS_ARRAY = /^\s*\[\s*\{\s*"(?:[^"\\]|\\.)*"\s*:/;

/** The first line that is not blank, or as much of it as is bounded. */
async function firstLine(contents: ChunkReader): Promise<string> {
  let isBegun = false;
  const head = await contents.peek((newest, byteCount) => {
    const from = isBegun ? 0 : newest.findIndex((byte) => byte > 0x20);
    isBegun ||= from >= 0;
    return byteCount > MAX_VALUE_BYTES || (from >= 0 && newest.indexOf(NEWLINE, from) >= 0);
  });
  return Buffer.from(head).toString('utf8').trimStart().split('\n', 1)[0]!.trimEnd();
}

function isObject(line: string): boolean {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === 'object' && json !== null && !Array.isArray(json);
  } catch {
    return false;
  }
}

/** No more than is asked for: the patterns above walk through it. */
const beginningOf = (head: Uint8Array): string => Buffer.from(head.subarray(0, HEAD_BYTES)).toString('utf8');

/** @param path the file's; @param contents without a byte order mark, which are peeked at. */
export async function documentForm(path: string, contents: ChunkReader): Promise<DocumentForm> {
  const name = withoutCompression(path);
  const head = beginningOf(await contents.peek(headOf));
  const first = head.trimStart()[0];
  if (LINES_NAME.test(name) || JSON_NAME.test(name)) {
    if (first === '[') return 'values';
    if (first !== '{') return 'lines';
    const line = await firstLine(contents);
    // A file of lines keeps that form where its first one is damaged; an object over several lines ends in none of them but the last.
    if (LINES_NAME.test(name) && line !== '{') return 'lines';
    return line.endsWith('}') ? 'lines' : 'values';
  }
  if (BEGINS_AS_ARRAY.test(head)) return 'values';
  if (!BEGINS_AS_OBJECT.test(head)) return 'text';
  return isObject(await firstLine(contents)) ? 'lines' : 'values';
}
