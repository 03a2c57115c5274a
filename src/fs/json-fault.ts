/** @module Explains why a text is not JSON (RFC 8259) and what to change: many programs write text that only looks like JSON. */

interface Token {
  readonly kind: '{' | '}' | '[' | ']' | ':' | ',' | 'text' | 'scalar';
  readonly at: number;
}

const NUMBER_OR_WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;
const SPACES = /[ \t\n\r]*/y;

/** Descriptions of text that is not a JSON token; {} stands for the text. The first match wins. */
const NON_TOKENS: readonly (readonly [RegExp, string])[] = [
  [/-?(?:NaN|Infinity|nan|inf)\b/y, '{}, which Python writes and JSON does not allow'],
  [/(?:True|False|None)\b/y, '{}, as Python prints a dict; JSON has true, false and null'],
  [/[uUbBrR]?'/y, 'single quotes, as Python prints a dict; JSON requires double quotes'],
  [/\/\/|\/\*|#/y, 'a comment, which JSON does not allow'],
  [/\0/y, 'a zero byte, as in an incompletely written file'],
  [/\p{Cc}/uy, 'a control character, as in an incompletely written file'],
  [/[“”„]/y, 'typographic quotes; JSON requires straight ones'],
  [/[+-]?[\d.]/y, 'an invalid number'],
  [/[\p{L}_$]/uy, 'an unquoted word'],
];

const matchAt = (pattern: RegExp, text: string, at: number): string | null => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
};

/** The index after the string that begins at `start`, or the fault in it. */
function stringEnd(text: string, start: number): number | { what: string; at: number } {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return i + 1;
    if (code < 0x20)
      return { what: code === 0 ? 'a zero byte in a string' : 'a raw control character in a string', at: i };
    if (code !== 0x5c) continue;
    const escaped = matchAt(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y, text, i);
    if (escaped === null && i + 6 <= text.length) return { what: 'an invalid escape sequence', at: i };
    i += (escaped?.length ?? 2) - 1;
  }
  return { what: 'it is truncated inside a string', at: text.length };
}

type Fault = { readonly what: string; readonly at: number };

/** The next token, null at the end of the text, or a fault. */
function tokenAt(text: string, from: number): { token: Token; end: number } | Fault | null {
  const at = from + matchAt(SPACES, text, from)!.length;
  if (at === text.length) return null;
  const character = text[at]!;
  if ('{}[]:,'.includes(character)) return { token: { kind: character as Token['kind'], at }, end: at + 1 };
  if (character === '"') {
    const end = stringEnd(text, at);
    return typeof end === 'number' ? { token: { kind: 'text', at }, end } : end;
  }
  const scalar = matchAt(NUMBER_OR_WORD, text, at);
  if (scalar !== null && scalar !== '') return { token: { kind: 'scalar', at }, end: at + scalar.length };
  for (const [pattern, what] of NON_TOKENS) {
    const found = matchAt(pattern, text, at);
    if (found !== null) return { what: what.replace('{}', found), at };
  }
  return { what: 'an unexpected character', at };
}

/** What the grammar allows next. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'nothing';

const AFTER_COMMA = 'a trailing comma';

/** What the grammar allows after a token, or why the token is not allowed here. `open` holds the open brackets and is updated. */
function follow(expected: Expected, { kind, at }: Token, open: ('{' | '[')[]): Expected | Fault {
  const closed = (): Expected => (open.length === 0 ? 'nothing' : ', or end');
  if (expected === 'nothing') return { what: 'unexpected text after the end of the value', at };
  const isClose = kind === '}' || kind === ']';
  if (isClose) {
    if (open.at(-1) !== (kind === '}' ? '{' : '[')) return { what: `an unmatched ${kind}`, at };
    if (expected === 'value' || expected === 'key') return { what: AFTER_COMMA, at };
    if (expected === ':') return { what: 'a key without a value', at };
    open.pop();
    return closed();
  }
  if (expected === 'key' || expected === 'key or }') return kind === 'text' ? ':' : { what: 'a missing key', at };
  if (expected === ':') return kind === ':' ? 'value' : { what: 'a missing colon after a key', at };
  if (expected === ', or end') {
    if (kind === ',') return open.at(-1) === '{' ? 'key' : 'value';
    return { what: 'a missing comma between two values', at };
  }
  if (kind === ',' || kind === ':')
    return { what: `a ${kind === ',' ? 'comma' : 'colon'} where a value is expected`, at };
  if (kind === 'text' || kind === 'scalar') return closed();
  open.push(kind as '{' | '[');
  return kind === '{' ? 'key or }' : 'value or ]';
}

function faultOf(text: string): Fault {
  if (text.startsWith('\uFEFF')) return { what: 'a byte order mark', at: 0 };
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  for (let from = 0; ; ) {
    const next = tokenAt(text, from);
    if (next === null) return { what: 'it is truncated', at: text.length };
    if ('what' in next) return next;
    const after = follow(expected, next.token, open);
    if (typeof after !== 'string') return after;
    expected = after;
    from = next.end;
  }
}

export interface JsonFault {
  /** The fault, as the end of a sentence. */
  readonly what: string;
  /** How many lines precede the fault's line. */
  readonly line: number;
  /** The place within its line, counted from 1; null if the text ends too early. */
  readonly character: number | null;
}

/** Finds the first fault in a text. @param text that JSON.parse rejects. */
export function jsonFault(text: string): JsonFault {
  const { what, at } = faultOf(text);
  const line = text.slice(0, at).split('\n').length - 1;
  const character = at - text.lastIndexOf('\n', at - 1);
  return { what, line, character: at >= text.length ? null : character };
}
