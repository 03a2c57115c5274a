/** @module Extracts the text of one JSON record, or explains why it has none. */
import { isUtf8 } from 'node:buffer';
import { jsonFault } from '../fs/index.js';
import { repeatedKeys } from '../safetensors/index.js';

/** How many of a record's keys are named if it lacks the expected one: enough to recognise the right one. */
const SHOWN_KEYS = 5;

/** Keys under which data sets store a document's text, such as The Stack, GitHub's data sets and RedPajama 2. */
const OTHER_TEXT_KEYS = ['text', 'content', 'raw_content', 'body', 'document', 'article', 'code'];

/** Keys under which data sets store chats: `messages` for OpenAI and most others, `conversations` for ShareGPT. */
const CHAT_KEYS = ['messages', 'conversations', 'conversation'];

/** The text, or the reason why there is none. `damaged.line` says after how many of the record's lines damaged JSON shows. */
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

/** Whether a record has a key twice: JSON.parse silently keeps the last one. */
function isRepeated(text: string, key: string): boolean {
  const written = JSON.stringify(key);
  if (text.indexOf(written) === text.lastIndexOf(written)) return false;
  for (const repeated of repeatedKeys(text)) if (repeated.depth === 1 && repeated.key === key) return true;
  return false;
}

/**
 * @param bytes of one JSON record, in UTF-8.
 * @param key of the record's text.
 * @returns the text, non-empty and well-formed Unicode, or the reason why there is none, as a clause for a message.
 */
export function recordText(bytes: Uint8Array, key: string): RecordText {
  if (!isUtf8(bytes)) return { reason: 'it is not valid UTF-8', damaged: { line: 0 } };
  const json = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch {
    const { what, line, character } = jsonFault(json);
    const place = character === null ? '' : `, at character ${character}`;
    return { reason: `it is not JSON: ${what}${place}`, damaged: { line } };
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    return { reason: `it is ${nameOfKind(record)}, not a JSON object` };
  if (!Object.hasOwn(record, key)) return { reason: withoutKey(record as Record<string, unknown>, key) };
  if (isRepeated(json, key)) return { reason: `it has the key "${key}" twice` };
  const text = (record as Record<string, unknown>)[key];
  if (typeof text !== 'string') return { reason: `the value of "${key}" is ${nameOfKind(text)}, not a string` };
  if (text === '') return { reason: `the text under "${key}" is empty` };
  // An escape can encode half of a surrogate pair, which UTF-8 cannot represent.
  if (!text.isWellFormed())
    return { reason: `the text under "${key}" contains a lone surrogate, which is not valid Unicode` };
  return { text };
}
