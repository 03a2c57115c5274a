/** @module Summarises how well patches follow the source's tokens, and what that costs the source, over several texts. No TensorFlow. */
import { bitsPerByte } from '../blt/index.js';
import { isContinuation } from '../data/index.js';
import { type ByteReading, CUT_AT_END, CUT_LATE, characterStart, NO_CUT } from '../patching/index.js';

/** The negative log-likelihood of each byte of a text under the source's next-token distribution, marginalised to bytes, in nats. */
export interface SourceNats {
  /** With the canonical tokens of the text. */
  readonly canonical: Float32Array;
  /** With the text tokenised patch by patch. */
  readonly inPatches: Float32Array;
  /** What the source's state has read when each byte of `inPatches` is predicted. */
  readonly readings: readonly ByteReading[];
}

export interface SegmentedText {
  readonly bytes: Uint8Array;
  /** 1 for bytes at which a canonical token ends, else 0 [bytes]. */
  readonly ends: Uint8Array;
  /** NO_CUT, CUT_AT_END or CUT_LATE for each byte [bytes]. */
  readonly cuts: Uint8Array;
  /** The negative log-likelihood of the whole text under the patcher, in nats. */
  readonly patcherNats: number;
  readonly source: SourceNats;
}

/** A report on several texts. Bits are per byte of all texts; the three values for first bytes are parts of `inPatchesBitsPerByte`. */
export interface SegmentationReport {
  readonly bytes: number;
  /** The share of the cuts that are at the end of a canonical token, or, for late cuts, one character after it. */
  readonly cutPrecision: number;
  /** The share of the token ends that have a cut. */
  readonly cutRecall: number;
  /** The share of late cuts among the token ends that have a cut. */
  readonly lateShare: number;
  /** The share of the cuts that are inside a UTF-8 character. */
  readonly insideCharacterShare: number;
  readonly bytesPerPatch: number;
  readonly bytesPerToken: number;
  readonly patcherBitsPerByte: number;
  readonly canonicalBitsPerByte: number;
  readonly inPatchesBitsPerByte: number;
  readonly freshFirstBytesBitsPerByte: number;
  readonly staleFirstBytesBitsPerByte: number;
  /** First bytes of tokens that begin inside a patch: a BLT has no global state before them. */
  readonly unreadFirstBytesBitsPerByte: number;
}

/** The numbers of cuts inside a text, of those inside a character, of token ends that were found by a cut (each counts once), and of those found late. */
function hits({ bytes, ends, cuts }: SegmentedText) {
  const hit = new Uint8Array(ends.length);
  let [made, late, insideCharacters] = [0, 0, 0];
  for (let i = 0; i < cuts.length - 1; i++) {
    if (cuts[i] === NO_CUT) continue;
    made++;
    if (isContinuation(bytes[i + 1]!)) insideCharacters++;
    const end = cuts[i] === CUT_LATE ? characterStart(bytes, i) - 1 : i;
    if (end < 0 || ends[end] === 0 || hit[end] !== 0) continue;
    hit[end] = cuts[i]!;
    if (cuts[i] === CUT_LATE) late++;
  }
  const inTime = hit.reduce((sum, kind) => sum + (kind === CUT_AT_END ? 1 : 0), 0);
  return { made, late, insideCharacters, found: inTime + late };
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
  const cuts = texts.map(hits);
  const counted = (key: keyof (typeof cuts)[number]) => cuts.reduce((all, text) => all + text[key], 0);
  // The last token of a text needs no cut.
  const ends = total(({ ends }) => ends.subarray(0, -1).reduce((all, end) => all + end, 0));
  return {
    bytes,
    cutPrecision: counted('found') / counted('made'),
    cutRecall: counted('found') / ends,
    lateShare: counted('late') / counted('found'),
    insideCharacterShare: counted('insideCharacters') / counted('made'),
    bytesPerPatch: bytes / (texts.length + counted('made')),
    bytesPerToken: bytes / total(({ ends }) => ends.reduce((all, end) => all + end, 0)),
    patcherBitsPerByte: perByte(({ patcherNats }) => patcherNats),
    canonicalBitsPerByte: perByte(({ source }) => sum(source.canonical)),
    inPatchesBitsPerByte: perByte(({ source }) => sum(source.inPatches)),
    freshFirstBytesBitsPerByte: bitsOf('fresh'),
    staleFirstBytesBitsPerByte: bitsOf('stale'),
    unreadFirstBytesBitsPerByte: bitsOf('unread'),
  };
}
