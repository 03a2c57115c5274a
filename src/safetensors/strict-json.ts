/** @module Unambiguous JSON: valid UTF-8, an object, and no duplicate keys (JSON.parse silently keeps the last one). */
import { explainJson } from '../fs/index.js';
import { quoted } from './quoted.js';

/** Throws an error that begins with the file's path and ends with what is wrong with it. */
export type Refuse = (what: string) => never;

/** The keys that an object repeats, and how deeply nested that object is. The text must be valid JSON. */
export function* repeatedKeys(text: string): Generator<{ readonly key: string; readonly depth: number }> {
  /** Keys of the objects that are open at this point; null for an array. */
  const open: (Set<string> | null)[] = [];
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      const end = stringEnd(text, i);
      const keys = open.at(-1);
      if (expectKey && keys != null) {
        const key = JSON.parse(text.slice(i, end)) as string;
        if (keys.has(key)) yield { key, depth: open.length };
        keys.add(key);
        expectKey = false;
      }
      i = end - 1;
    } else if (character === '{' || character === '[') {
      expectKey = character === '{';
      open.push(expectKey ? new Set() : null);
    } else if (character === '}' || character === ']') {
      open.pop();
      expectKey = false;
    } else if (character === ',') {
      expectKey = open.at(-1) !== null;
    }
  }
}

/** The index after a string's closing quote. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

/** Parses a JSON object. @param subject names the bytes in the refusal: `its header`. @param refuse is called when they are invalid. */
export function parseStrictObject(bytes: Uint8Array, subject: string, refuse: Refuse): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(`${subject} is not UTF-8`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse(`${subject} is not JSON: ${explainJson(text)}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse(`${subject} is not an object`);
  for (const { key } of repeatedKeys(text)) return refuse(`${subject} names ${quoted(key)} twice`);
  return json as Record<string, unknown>;
}
