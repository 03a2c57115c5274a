/** @module Validates and cuts UTF-8 that arrives in chunks. */
import { isUtf8 } from 'node:buffer';
import { Unusable } from './refusal.js';

/** Whether a byte continues a character. */
export const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** The length of a character in bytes, from its first byte; 1 for an invalid first byte, which validation then rejects. */
export function characterBytes(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

/** The length of `bytes` without an incomplete character at the end. */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (!isContinuation(byte)) return characterBytes(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Yields the same bytes, cut between characters. @throws Unusable at the first invalid chunk. */
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

/** Yields the same bytes without a leading UTF-8 byte order mark, which some editors write and which is not part of the text. */
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
