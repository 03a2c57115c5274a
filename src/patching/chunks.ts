/**
 * @module A document as the source reads it during distillation: one chunk of tokens per patch (docs/distillation.md). A chunk contains only
 * bytes up to the end of its patch, so the source's state after it knows nothing that the patch's own state could not. No TensorFlow.
 */
import { characterStart } from './characters.js';
import type { TokensOf } from './patch-tokens.js';

export interface SourceChunks {
  /** Ranks: the start token, then the tokens of each patch. */
  readonly tokens: readonly number[];
  /** The token of each byte, as an index into `tokens`. The state at the token before it predicts the byte. */
  readonly tokenOfByte: Int32Array;
  /** The number of bytes of its token that come before each byte. */
  readonly offsetInToken: Int32Array;
  /** The patch whose chunk contains each byte. The last character of a patch that was cut late belongs to the next chunk. */
  readonly patchOfByte: Int32Array;
  /** The last token of each patch's chunk, as an index into `tokens`; the first patch is BOS. */
  readonly lastToken: Int32Array;
  /** The number of tokens in each patch's chunk; 1 for BOS. */
  readonly tokenCount: Int32Array;
  /** Whether the last patch is still open: its chunk may be incomplete. */
  readonly lastIsOpen: boolean;
}

export interface CutDocument {
  /** Without BOS and EOS. */
  readonly bytes: Uint8Array;
  /** Number of positions: BOS, the bytes, and EOS if there is one. */
  readonly count: number;
  /** The starts of its patches in the canonical form (blt-format 1.7). */
  readonly starts: Int32Array;
  /** Whether the cut after a position is late, so that the patch contains the first character of the next token. */
  readonly late: (position: number) => boolean;
}

export interface SpecialTokens {
  /** The rank of the token before every text. */
  readonly start: number;
  /** The rank of the token after every text. */
  readonly end: number;
}

/** Tokenises a document patch by patch. @param tokensOf tokenises the bytes of one chunk */
export function sourceChunks(document: CutDocument, tokensOf: TokensOf, special: SpecialTokens): SourceChunks {
  const { bytes, count, starts, late } = document;
  const patches = starts.at(-1) === count ? starts.length - 1 : starts.length;
  const tokens = [special.start];
  const tokenOfByte = new Int32Array(bytes.length);
  const offsetInToken = new Int32Array(bytes.length);
  const patchOfByte = new Int32Array(bytes.length);
  const lastToken = new Int32Array(patches);
  const tokenCount = new Int32Array(patches).fill(1);
  let done = 0; // the number of bytes that have a token

  /** Tokenises the bytes up to `end`. */
  function take(end: number, patch: number): void {
    for (const { rank, length } of tokensOf(bytes.subarray(done, end))) {
      for (let i = 0; i < length; i++) {
        tokenOfByte[done + i] = tokens.length;
        offsetInToken[done + i] = i;
        patchOfByte[done + i] = patch;
      }
      tokens.push(rank);
      done += length;
    }
  }

  for (let patch = 1; patch < patches; patch++) {
    const end = starts[patch + 1] ?? count; // the position after the patch
    const before = tokens.length;
    // Byte p - 1 is at position p. EOS is not a byte, so a late cut after it leaves no byte to the next patch.
    const beforeLast = characterStart(bytes, end - 2);
    const isLate = end === starts[patch + 1] && beforeLast > done && late(end - 1);
    take(Math.min(isLate ? beforeLast : end - 1, bytes.length), patch);
    if (tokens.length === before) tokens.push(special.end); // the patch is EOS alone
    lastToken[patch] = tokens.length - 1;
    tokenCount[patch] = tokens.length - before;
  }
  const lastIsOpen = starts.at(-1) !== count;
  // If the last cut is late, its character is in no patch's chunk, but the source predicts it too.
  if (done < bytes.length) take(bytes.length, patches);
  return { tokens, tokenOfByte, offsetInToken, patchOfByte, lastToken, tokenCount, lastIsOpen };
}
