/** @module Splits streamed JSON into values: the elements of one array, or one value after another. It only finds their ends and does not parse them. */
import { Unusable } from './refusal.js';

/** The text of one value, which may be invalid JSON, and the line on which it begins, counted from 1. */
export interface JsonValue {
  readonly bytes: Uint8Array;
  readonly line: number;
}

/** Limit on the bytes of a value, which is parsed in memory. */
export const MAX_VALUE_BYTES = 2 ** 28;

const [QUOTE, BACKSLASH, COMMA, NEWLINE] = [0x22, 0x5c, 0x2c, 0x0a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** How a byte relates to the current value: inside it, outside any value, its last byte, or the first byte after it. */
type Step = 'inside' | 'outside' | 'last' | 'after';

/** A scanner that tracks strings and brackets to find the ends of values. */
interface Scanner {
  /** The index from `at` on of the next byte that must be examined: inside a string, most bytes need not be. */
  skip(chunk: Uint8Array, at: number): number;
  step(byte: number): Step;
  /** Whether no string and no bracket is open, including the outer array. */
  isClosed(): boolean;
  /** Whether the outer array has ended. */
  isOver(): boolean;
}

/** @param inArray whether the values are the elements of an array, whose opening bracket was already read. */
function createScanner(inArray: boolean): Scanner {
  const outer = inArray ? 1 : 0;
  let depth = outer;
  let inValue = false;
  let inString = false;
  let isEscaped = false;
  const stepInString = (byte: number): Step => {
    if (isEscaped) isEscaped = false;
    else if (byte === BACKSLASH) isEscaped = true;
    else if (byte === QUOTE) inString = false;
    return 'inside';
  };
  const stepInValue = (byte: number): Step => {
    if (byte === QUOTE) inString = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth--;
      if (depth === outer) return 'last';
      if (depth < outer) return inArray ? 'after' : 'last';
    } else if (depth === outer && (isSpace(byte) || byte === COMMA)) return 'after';
    return 'inside';
  };
  // The position of the next quote is cached; otherwise a string with many escapes would be searched again after each of them.
  let searched: Uint8Array | null = null;
  let quoteAt = -1;
  return {
    skip(chunk, at) {
      if (!inString || isEscaped) return at;
      if (searched !== chunk || quoteAt < at) {
        searched = chunk;
        const found = chunk.indexOf(QUOTE, at);
        quoteAt = found < 0 ? chunk.length : found;
      }
      const escapeAt = chunk.subarray(at, quoteAt).indexOf(BACKSLASH);
      return escapeAt < 0 ? quoteAt : at + escapeAt;
    },
    step(byte) {
      if (inString) return stepInString(byte);
      if (!inValue) {
        if (isSpace(byte) || (inArray && byte === COMMA)) return 'outside';
        if (inArray && byte === CLOSE_ARRAY) {
          depth = 0;
          return 'outside';
        }
        inValue = true;
      }
      const step = stepInValue(byte);
      if (step !== 'inside') inValue = false;
      return step;
    },
    isClosed: () => !inString && depth <= 0,
    isOver: () => inArray && depth <= 0,
  };
}

interface Splitter {
  push(chunk: Uint8Array): Generator<JsonValue>;
  end(): Generator<JsonValue>;
}

function createSplitter(): Splitter {
  let scanner: Scanner | null = null;
  let line = 1;
  let valueLine = 0;
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  const take = (last: Uint8Array): JsonValue => {
    const value = { bytes: Buffer.concat([...kept, last]), line: valueLine };
    kept = [];
    keptBytes = 0;
    valueLine = 0;
    return value;
  };
  const keep = (bytes: Uint8Array) => {
    kept.push(bytes);
    keptBytes += bytes.length;
    if (keptBytes > MAX_VALUE_BYTES)
      throw new Unusable('a JSON value that begins on this line is larger than 256 MiB', valueLine);
  };
  return {
    *push(chunk) {
      let from = 0;
      for (let at = scanner?.skip(chunk, 0) ?? 0; at < chunk.length; at = scanner?.skip(chunk, at + 1) ?? at + 1) {
        const byte = chunk[at]!;
        if (byte === NEWLINE) line++;
        if (scanner === null) {
          if (isSpace(byte)) continue;
          scanner = createScanner(byte === OPEN_ARRAY);
          if (byte === OPEN_ARRAY) continue;
        } else if (scanner.isOver() && !isSpace(byte)) {
          throw new Unusable('there is text after the end of its JSON array', line);
        }
        const step = scanner.step(byte);
        if (step === 'outside') continue;
        if (valueLine === 0) {
          valueLine = line;
          from = at;
        }
        if (step === 'last') yield take(chunk.subarray(from, at + 1));
        if (step === 'after') yield take(chunk.subarray(from, at));
      }
      if (valueLine !== 0) keep(chunk.subarray(from));
    },
    *end() {
      if (scanner !== null && !scanner.isClosed())
        throw new Unusable('its JSON is truncated: a bracket or a string is still open at the end', valueLine || line);
      if (valueLine !== 0) yield take(new Uint8Array());
    },
  };
}

/**
 * Yields the elements if the text begins with `[`, otherwise each value in turn.
 * @param chunks of JSON text, in order.
 * @throws Unusable if the array or the last value is truncated, if text follows the array, or if a value exceeds `MAX_VALUE_BYTES`.
 */
export async function* jsonValues(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonValue> {
  const splitter = createSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.end();
}
