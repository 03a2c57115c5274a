/** @module UTF-8 characters in a text that may be cut anywhere. A byte tells of itself and of earlier ones only whether it ends a character. */
import { characterBytes, isContinuation } from '../data/index.js';

/** Marks a byte that does not end a character. */
export const INSIDE = -1;

/** For the last byte of each character, the index of its first byte; for all other bytes, `INSIDE` [bytes]. */
export function characterStarts(bytes: Uint8Array): Int32Array {
  const starts = new Int32Array(bytes.length).fill(INSIDE);
  let [start, left] = [0, 0];
  bytes.forEach((byte, i) => {
    const continues = isContinuation(byte);
    // A continuation byte without a first byte belongs to a character whose beginning was cut off.
    if (continues && left === 0) return;
    if (!continues) [start, left] = [i, characterBytes(byte)];
    left--;
    if (left === 0) starts[i] = start;
  });
  return starts;
}

/** The index of the first byte of the character, complete or not, that contains byte `at`. */
export function characterStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && start > at - 3 && isContinuation(bytes[start]!)) start--;
  return start;
}
