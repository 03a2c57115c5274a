// Held-out text in pieces of a row, since models that were trained from random weights have seen no longer context.
import { wholeCharacters } from '../../dist/data/index.js';

/**
 * Cuts UTF-8 texts between characters.
 * @param {readonly Uint8Array[]} texts @param {number} maxBytes of a piece, at least 4
 */
export function cutTexts(texts, maxBytes) {
  const pieces = [];
  for (const text of texts)
    for (let from = 0; from < text.length; ) {
      const length = wholeCharacters(text.subarray(from, from + maxBytes));
      pieces.push(text.subarray(from, from + length));
      from += length;
    }
  return pieces;
}
