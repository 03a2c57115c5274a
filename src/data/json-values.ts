/** @module JSON values as they stream by: the elements of one array, or one value after another. Their ends are found, no more. */
import { Unusable } from './refusal.js';

/** The text of one value, which may be no valid JSON, and the line it begins in. */
export interface JsonValue {
  readonly bytes: Uint8Array;
  readonly line: number;
}

/** A value is parsed whole. */
export const MAX_VALUE_BYTES = 2 ** 28;

const [QUOTE, BACKSLASH, COMMA, NEWLINE] = [0x22, 0x5c, 0x2c, 0x0a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** What a byte is to the value that is being read: of it, outside of any, its last one, or the first after it. */
type Step = 'inside' | 'outside' | 'last' | 'after';

/** Follows strings and brackets, so that it knows where values end. */
interface Walk {
  /** The next byte from `at` on that can end or escape something: inside a string most bytes cannot. */
  skip(chunk: Uint8Array, at: number): number;
  step(byte: number): Step;
  /** Nothing is open: no string, no bracket, nor the array whose elements are given. */
  isClosed(): boolean;
  /** That array has ended. */
  isOver(): boolean;
}

/** @param inArray the values are the elements of an array, whose first bracket was read. */
function createWalk(inArray: boolean): Walk {
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
  // The next quote is kept: a string of many escapes would else be searched again from each.
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
  let walk: Walk | null = null;
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
      for (let at = walk?.skip(chunk, 0) ?? 0; at < chunk.length; at = walk?.skip(chunk, at + 1) ?? at + 1) {
        const byte = chunk[at]!;
        if (byte === NEWLINE) line++;
        if (walk === null) {
          if (isSpace(byte)) continue;
          walk = createWalk(byte === OPEN_ARRAY);
          if (byte === OPEN_ARRAY) continue;
        } else if (walk.isOver() && !isSpace(byte)) {
          throw new Unusable('there is text after the end of its JSON array', line);
        }
        const step = walk.step(byte);
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
      if (walk !== null && !walk.isClosed())
        throw new Unusable('its JSON is truncated: a bracket or a string is still open at the end', valueLine || line);
      if (valueLine !== 0) yield take(new Uint8Array());
    },
  };
}

/**
 * @param chunks a text that begins with `[`, whose elements come, or with another value, which comes with those that follow it.
 * @throws Unusable where the array or the last value is cut off, where something follows the array, and for a value that is too long.
 */
export async function* jsonValues(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonValue> {
  const splitter = createSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.end();
}
