/** @module Cuts a document into pieces of a bounded size, at the end of a line where one is near, never inside a character. */

const NEWLINE = 0x0a;
/** How much of a piece may be given up for ending it at a line's end. */
const LINE_SEARCH = 0.25;

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Where the piece that begins at `from` ends; more than `limit` bytes follow there. */
function endOfPiece(text: Uint8Array, from: number, limit: number): number {
  const nearest = from + Math.ceil(limit * (1 - LINE_SEARCH)) - 1;
  const line = text.subarray(nearest, from + limit).lastIndexOf(NEWLINE);
  if (line >= 0) return nearest + line + 1;
  let end = from + limit;
  while (isContinuation(text[end])) end--;
  return end;
}

/**
 * Pieces that are complete whatever text follows, then returns the rest: at most `limit` bytes, to be put before what follows.
 * @param limit bytes of a piece, at least 4 so that any character fits.
 */
export function* completePieces(text: Uint8Array, limit: number): Generator<Uint8Array, Uint8Array> {
  let from = 0;
  while (text.length - from > limit) {
    const end = endOfPiece(text, from, limit);
    yield text.subarray(from, end);
    from = end;
  }
  return text.subarray(from);
}

/** Pieces of a whole document. They join to it again. */
export function* piecesOf(text: Uint8Array, limit: number): Generator<Uint8Array> {
  const rest = yield* completePieces(text, limit);
  if (rest.length > 0) yield rest;
}
