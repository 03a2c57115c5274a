/** @module Summarises how well patches follow the source's tokens, and what that costs the source, over several texts. No TensorFlow. */
import { bitsPerByte } from '../blt/index.js';
import type { ByteReading } from '../patching/index.js';
import {
  type CutCounts,
  cutCounts,
  type TokenAgreement,
  type TokenisedCutText,
  tokenAgreement,
} from './cut-quality.js';

/** The negative log-likelihood of each byte of a text under the source's next-token distribution, marginalised to bytes, in nats. */
export interface SourceNats {
  /** With the canonical tokens of the text. */
  readonly canonical: Float32Array;
  /** With the text tokenised patch by patch. */
  readonly inPatches: Float32Array;
  /** What the source's state has read when each byte of `inPatches` is predicted. */
  readonly readings: readonly ByteReading[];
}

export interface SegmentedText extends TokenisedCutText {
  /** The negative log-likelihood of the whole text under the patcher, in nats. */
  readonly patcherNats: number;
  readonly source: SourceNats;
}

/** A report on several texts. Bits are per byte of all texts; the three values for first bytes are parts of `inPatchesBitsPerByte`. */
export interface SegmentationReport extends CutCounts, TokenAgreement {
  readonly bytes: number;
  readonly patcherBitsPerByte: number;
  readonly canonicalBitsPerByte: number;
  readonly inPatchesBitsPerByte: number;
  readonly freshFirstBytesBitsPerByte: number;
  readonly staleFirstBytesBitsPerByte: number;
  /** First bytes of tokens that begin inside a patch: a BLT has no global state before them. */
  readonly unreadFirstBytesBitsPerByte: number;
}

/** @param texts with at least one byte in total */
export function segmentationReport(texts: readonly SegmentedText[]): SegmentationReport {
  const total = (of: (text: SegmentedText) => number) => texts.reduce((sum, text) => sum + of(text), 0);
  const sum = (values: Float32Array, where: (i: number) => boolean = () => true) =>
    values.reduce((all, value, i) => (where(i) ? all + value : all), 0);
  const bytes = total(({ ends }) => ends.length);
  const perByte = (of: (text: SegmentedText) => number) => bitsPerByte(total(of), bytes);
  const bitsOf = (reading: ByteReading) =>
    perByte(({ source }) => sum(source.inPatches, (i) => source.readings[i] === reading));
  return {
    bytes,
    ...cutCounts(texts),
    ...tokenAgreement(texts),
    patcherBitsPerByte: perByte(({ patcherNats }) => patcherNats),
    canonicalBitsPerByte: perByte(({ source }) => sum(source.canonical)),
    inPatchesBitsPerByte: perByte(({ source }) => sum(source.inPatches)),
    freshFirstBytesBitsPerByte: bitsOf('fresh'),
    staleFirstBytesBitsPerByte: bitsOf('stale'),
    unreadFirstBytesBitsPerByte: bitsOf('unread'),
  };
}
