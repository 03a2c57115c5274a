/** @module Cuts a document into pieces of a bounded size, at the end of a line where one is near, never inside a character. */

const NEWLINE = 0x0a;
/** How much of a piece may be given up for ending it at a line's end. */
const LINE_SEARCH = 0.25;

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** @param limit bytes of a piece, at least 4 so that any character fits. */
export function* piecesOf(text: Uint8Array, limit: number): Generator<Uint8Array> {
  let from = 0;
  while (text.length - from > limit) {
    let to = text.lastIndexOf(NEWLINE, from + limit - 1) + 1;
    if (to - from < limit * (1 - LINE_SEARCH)) {
      to = from + limit;
      while (isContinuation(text[to])) to--;
    }
    yield text.subarray(from, to);
    from = to;
  }
  if (from < text.length) yield text.subarray(from);
}
