/** @module Cuts a document into chunks of bounded size: text at the end of a line if one is near, and never inside a character. */
import type { DomainKind } from './domains.js';
import { isContinuation } from './utf8.js';

const NEWLINE = 0x0a;
/** The fraction of a chunk that may be given up to end it at the end of a line. */
const LINE_SEARCH = 0.25;

/** The end of the chunk that begins at `from`; more than `limit` bytes must follow `from`. */
function endOfTextChunk(text: Uint8Array, from: number, limit: number): number {
  const nearest = from + Math.ceil(limit * (1 - LINE_SEARCH)) - 1;
  const line = text.subarray(nearest, from + limit).lastIndexOf(NEWLINE);
  if (line >= 0) return nearest + line + 1;
  let end = from + limit;
  while (isContinuation(text[end]!)) end--;
  return end;
}

const END_OF_CHUNK: Readonly<Record<DomainKind, typeof endOfTextChunk>> = {
  text: endOfTextChunk,
  bytes: (_bytes, from, limit) => from + limit,
};

/**
 * Yields the chunks that are complete whatever text follows.
 * @param limit bytes per chunk; at least 4, so that any character fits.
 * @returns the rest, at most `limit` bytes, which the caller prepends to the text that follows.
 */
export function* completeChunks(
  document: Uint8Array,
  limit: number,
  kind: DomainKind,
): Generator<Uint8Array, Uint8Array> {
  let from = 0;
  while (document.length - from > limit) {
    const end = END_OF_CHUNK[kind](document, from, limit);
    yield document.subarray(from, end);
    from = end;
  }
  return document.subarray(from);
}
