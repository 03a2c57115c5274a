/**
 * @module A document as the source reads it beside a BLT: one chunk of tokens a patch (docs/distillation.md). A chunk holds only
 * bytes up to the end of its patch, so the source's state after it knows nothing that the patch's own state could not. No TensorFlow.
 */
import type { TokensOf } from './patch-tokens.js';

export interface SourceChunks {
  /** Ranks: the start token, then the tokens of each patch. */
  readonly tokens: readonly number[];
  /** Of each byte: its token, an index of `tokens`. The state before it, one less, predicts the byte. */
  readonly tokenOfByte: Int32Array;
  /** Of each byte: how many bytes of its token come before it. */
  readonly offsetInToken: Int32Array;
  /** Of each byte: the patch whose chunk it belongs to. A byte that was cut late belongs to the next one. */
  readonly patchOfByte: Int32Array;
  /** Of each patch, BOS's included: the last token of its chunk. */
  readonly lastToken: Int32Array;
  /** Of each patch: how many tokens its chunk is; 1 for BOS. */
  readonly tokenCount: Int32Array;
  /** Whether the last patch is open: its chunk is what happens to be there. */
  readonly lastIsOpen: boolean;
}

export interface CutDocument {
  /** Without BOS and EOS. */
  readonly bytes: Uint8Array;
  /** Positions: BOS, the bytes, and EOS where it is there. */
  readonly count: number;
  /** Canonical starts of its patches (blt-format 1.7). */
  readonly starts: Int32Array;
  /** Whether a patch that ends at a position holds its successor's first byte [count]. */
  readonly late: (position: number) => boolean;
}

export interface SpecialTokens {
  /** Rank of what a text begins after. */
  readonly start: number;
  /** Rank of what ends it. */
  readonly end: number;
}

/** @param document cut into patches; @param tokensOf tokenises a patch. */
export function sourceChunks(document: CutDocument, tokensOf: TokensOf, special: SpecialTokens): SourceChunks {
  const { bytes, count, starts, late } = document;
  const patches = starts.at(-1) === count ? starts.length - 1 : starts.length;
  const tokens = [special.start];
  const tokenOfByte = new Int32Array(bytes.length);
  const offsetInToken = new Int32Array(bytes.length);
  const patchOfByte = new Int32Array(bytes.length);
  const lastToken = new Int32Array(patches);
  const tokenCount = new Int32Array(patches).fill(1);
  let done = 0; // bytes that have a token

  /** Gives tokens to the bytes up to `end`. */
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
    const end = starts[patch + 1] ?? count; // the position after it
    const before = tokens.length;
    const isLate = end === starts[patch + 1] && end - 1 - done > 1 && late(end - 1);
    // Position p holds byte p - 1; EOS holds none, so that a late cut behind it leaves no byte to the next patch.
    take(Math.min(isLate ? end - 2 : end - 1, bytes.length), patch);
    if (tokens.length === before) tokens.push(special.end); // EOS alone
    lastToken[patch] = tokens.length - 1;
    tokenCount[patch] = tokens.length - before;
  }
  const lastIsOpen = starts.at(-1) !== count;
  // A byte that the last cut left over is in no patch's chunk; the source predicts it all the same.
  if (done < bytes.length) take(bytes.length, patches);
  return { tokens, tokenOfByte, offsetInToken, patchOfByte, lastToken, tokenCount, lastIsOpen };
}
