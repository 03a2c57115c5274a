/** @module Detects from a file's contents how it stores its documents. The name only decides which error damaged contents get. */
import { type ChunkReader, HEAD_BYTES, headOf } from './chunk-reader.js';
import { withoutCompression } from './file-chunks.js';
import { MAX_VALUE_BYTES } from './json-values.js';

/** `text`: the file is one document. `lines`: each line is a JSON record. `values`: JSON values that may span several lines. */
export type DocumentForm = 'text' | 'lines' | 'values';

const NEWLINE = 0x0a;
const LINES_NAME = /\.(jsonl|ndjson|jsonlines|jl)$/;
const JSON_NAME = /\.json$/;
/** An object with a key, or an array of such objects. Prose, source code and wikitext do not begin like this. */
const BEGINS_AS_OBJECT = /^\s*\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\}\s*$)/;
const BEGINS_AS_ARRAY = /^\s*\[\s*\{\s*"(?:[^"\\]|\\.)*"\s*:/;

/** The first line that is not blank, up to the limit on a value's size. */
async function firstLine(contents: ChunkReader): Promise<string> {
  let hasStarted = false;
  const head = await contents.peek((newest, byteCount) => {
    const from = hasStarted ? 0 : newest.findIndex((byte) => byte > 0x20);
    hasStarted ||= from >= 0;
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

/** Bounded, since the patterns above scan all of it. */
const beginningOf = (head: Uint8Array): string => Buffer.from(head.subarray(0, HEAD_BYTES)).toString('utf8');

/** @param path of the file; @param contents of the file without a byte order mark; they are only peeked at. */
export async function documentForm(path: string, contents: ChunkReader): Promise<DocumentForm> {
  const name = withoutCompression(path);
  const head = beginningOf(await contents.peek(headOf));
  const first = head.trimStart()[0];
  if (LINES_NAME.test(name) || JSON_NAME.test(name)) {
    if (first === '[') return 'values';
    if (first !== '{') return 'lines';
    const line = await firstLine(contents);
    // A file named as JSON lines keeps that form if its first line is damaged. An object over several lines ends only on its last one.
    if (LINES_NAME.test(name) && line !== '{') return 'lines';
    return line.endsWith('}') ? 'lines' : 'values';
  }
  if (BEGINS_AS_ARRAY.test(head)) return 'values';
  if (!BEGINS_AS_OBJECT.test(head)) return 'text';
  return isObject(await firstLine(contents)) ? 'lines' : 'values';
}
