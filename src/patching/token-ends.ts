/**
 * @module Where the source's tokens end in a text: what an aligned patcher learns, as do the boundary predictors of H-Net (arXiv 2507.07955,
 * appendix F) and Bolmo (arXiv 2512.15586, section 3.1.1). No TensorFlow.
 */
import { wholeCharacters } from '../data/index.js';
import type { SourceTokenizer } from '../tokenizer/index.js';
import { canonicalTokens } from './canonical-tokens.js';

export interface TokenEnds {
  /** 1 where a token of the canonical tokenisation ends at a byte, else 0 [bytes]. */
  readonly ends: Uint8Array;
  /** 1 where that is known, else 0 [bytes]. */
  readonly known: Uint8Array;
}

const LONGEST_REST = 3;

/** How many bytes at the beginning go on with a character that began before. */
function leadingRest(bytes: Uint8Array): number {
  let count = 0;
  while (count < Math.min(LONGEST_REST, bytes.length) && (bytes[count]! & 0xc0) === 0x80) count++;
  return count;
}

/**
 * @param piece of valid UTF-8, cut anywhere; of characters that are cut nothing is known, nor of a text that its tokens do not spell.
 * @param cut whether text follows that is not here: then the last token may be the beginning of another.
 */
export function tokenEnds(piece: Uint8Array, cut: boolean, tokenizer: SourceTokenizer): TokenEnds {
  const ends = new Uint8Array(piece.length);
  const known = new Uint8Array(piece.length);
  const start = leadingRest(piece);
  const end = Math.max(start, wholeCharacters(piece));
  const tokens = canonicalTokens(piece.subarray(start, end), tokenizer);
  if (tokens === null) return { ends, known };
  let [at, last] = [start, start];
  for (const { length } of tokens) {
    if (length === 0) continue;
    last = at;
    at += length;
    ends[at - 1] = 1;
  }
  known.fill(1, start, cut ? last : end);
  return { ends, known };
}
