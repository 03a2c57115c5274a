/**
 * @module Where the source's tokens end in a text: the targets of an aligned patcher, as of the boundary predictors of H-Net (arXiv 2507.07955,
 * appendix F) and Bolmo (arXiv 2512.15586, section 3.1.1). No TensorFlow.
 */
import { isContinuation, wholeCharacters } from '../data/index.js';
import type { SourceTokenizer } from '../tokenizer/index.js';
import { canonicalTokens } from './canonical-tokens.js';

export interface TokenEnds {
  /** 1 for bytes at which a canonical token ends, else 0 [bytes]. */
  readonly ends: Uint8Array;
  /** 1 for bytes for which `ends` is known, else 0 [bytes]. */
  readonly known: Uint8Array;
}

/** A UTF-8 character has at most three continuation bytes. */
const MAX_CONTINUATION_BYTES = 3;

/** The number of continuation bytes at the beginning, which belong to a character that was cut. */
function leadingContinuationBytes(bytes: Uint8Array): number {
  let count = 0;
  while (count < Math.min(MAX_CONTINUATION_BYTES, bytes.length) && isContinuation(bytes[count]!)) count++;
  return count;
}

/**
 * Finds the token ends in part of a text. They are unknown inside a character that was cut, and everywhere if the tokens do not spell the text.
 * @param text part of valid UTF-8, cut anywhere
 * @param continues whether the text continues: then the last token may be the beginning of a longer one
 */
export function tokenEnds(text: Uint8Array, continues: boolean, tokenizer: SourceTokenizer): TokenEnds {
  const ends = new Uint8Array(text.length);
  const known = new Uint8Array(text.length);
  const start = leadingContinuationBytes(text);
  const end = Math.max(start, wholeCharacters(text));
  const tokens = canonicalTokens(text.subarray(start, end), tokenizer);
  if (tokens === null) return { ends, known };
  let [at, last] = [start, start];
  for (const { length } of tokens) {
    if (length === 0) continue;
    last = at;
    at += length;
    ends[at - 1] = 1;
  }
  known.fill(1, start, continues ? last : end);
  return { ends, known };
}
