/** @module The text of one JSON record, or why it has none. */
import { isUtf8 } from 'node:buffer';
import { repeatedKeys } from '../safetensors/index.js';
import { jsonFault } from './json-fault.js';

/** How many keys of a record are named when it lacks the wanted one: enough to see which was meant. */
const SHOWN_KEYS = 5;

/** Where data sets keep a document's text when not under "text": The Stack and GitHub's, RedPajama 2, and others. */
const OTHER_TEXT_KEYS = ['text', 'content', 'raw_content', 'body', 'document', 'article', 'code'];

/** Where chats stand: OpenAI's files and most others; ShareGPT's. */
const CHAT_KEYS = ['messages', 'conversations', 'conversation'];

/** Of a damaged record, after how many of its lines that shows. */
export type RecordText =
  | { readonly text: string }
  | { readonly reason: string; readonly damaged?: { readonly line: number } };

function nameOfKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a string', number: 'a number', boolean: 'a boolean' }[typeof value as string] ?? 'an object';
}

function withoutKey(record: Readonly<Record<string, unknown>>, key: string): string {
  const keys = Object.keys(record);
  const missing = `it has no key "${key}"`;
  if (keys.length === 0) return `${missing} (the object is empty)`;
  const chat = CHAT_KEYS.find((name) => Array.isArray(record[name]));
  if (chat !== undefined)
    return `${missing}, but a chat under "${chat}"; render chats to text first, with the model's chat template`;
  const other = OTHER_TEXT_KEYS.find((name) => typeof record[name] === 'string');
  if (other !== undefined)
    return `${missing}, but it has "${other}"; to read that, set the text key (data.text_key or --text-key) to ${other}`;
  const more = keys.length > SHOWN_KEYS ? ', …' : '';
  return `${missing} (it has ${keys.slice(0, SHOWN_KEYS).join(', ')}${more})`;
}

/** JSON.parse keeps the last of two and says nothing. */
function standsTwice(text: string, key: string): boolean {
  const written = JSON.stringify(key);
  if (text.indexOf(written) === text.lastIndexOf(written)) return false;
  for (const repeated of repeatedKeys(text)) if (repeated.depth === 1 && repeated.key === key) return true;
  return false;
}

/** @param key where the record holds its text. @returns that text, which is not empty and has a UTF-8 form, or why there is none. */
export function recordText(bytes: Uint8Array, key: string): RecordText {
  if (!isUtf8(bytes)) return { reason: 'it is not valid UTF-8', damaged: { line: 0 } };
  const json = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch {
    const { what, line } = jsonFault(json);
    return { reason: `it is not JSON: ${what}`, damaged: { line } };
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    return { reason: `it is ${nameOfKind(record)}, not a JSON object` };
  if (!Object.hasOwn(record, key)) return { reason: withoutKey(record as Record<string, unknown>, key) };
  if (standsTwice(json, key)) return { reason: `it has the key "${key}" twice` };
  const text = (record as Record<string, unknown>)[key];
  if (typeof text !== 'string') return { reason: `the value of "${key}" is ${nameOfKind(text)}, not a string` };
  if (text === '') return { reason: `the text under "${key}" is empty` };
  // Half of a surrogate pair in an escape has no UTF-8.
  if (!text.isWellFormed())
    return { reason: `the text under "${key}" contains a lone surrogate, which is not valid Unicode` };
  return { text };
}
