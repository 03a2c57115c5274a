/** @module UTF-8 that comes in chunks. */
import { isUtf8 } from 'node:buffer';
import { Unusable } from './refusal.js';

/** How many bytes a character takes, by its first byte; 1 for a byte that cannot be one, which the check then refuses. */
function characterBytes(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

/** The length of `bytes` without a character at its end that is cut off. */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) !== 0x80) return characterBytes(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The same bytes, cut between characters. @throws Unusable at the first chunk that is not valid. */
export async function* validUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let kept: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    const end = wholeCharacters(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole)) throw new Unusable('it is not valid UTF-8');
    kept = bytes.subarray(end);
    if (end > 0) yield whole;
  }
  if (kept.length > 0) throw new Unusable('it is not valid UTF-8: its last character is cut off');
}

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

/** The same chunks without the mark that some editors put before a text; it is none of its characters. */
export async function* withoutByteOrderMark(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | null = new Uint8Array();
  for await (const chunk of chunks) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < BYTE_ORDER_MARK.length) continue;
    const begins = BYTE_ORDER_MARK.equals(head.subarray(0, BYTE_ORDER_MARK.length));
    const rest: Uint8Array = begins ? head.subarray(BYTE_ORDER_MARK.length) : head;
    head = null;
    if (rest.length > 0) yield rest;
  }
  if (head !== null && head.length > 0) yield head;
}
