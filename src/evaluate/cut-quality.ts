/** @module Summarises where a patcher cuts texts: how large patches are, cuts inside characters, and how they follow the source's tokens. No TensorFlow. */
import { isContinuation } from '../data/index.js';
import { CUT_AT_END, CUT_LATE, characterStart, NO_CUT } from '../patching/index.js';

export interface CutText {
  readonly bytes: Uint8Array;
  /** NO_CUT, CUT_AT_END or CUT_LATE for each byte [bytes]. */
  readonly cuts: Uint8Array;
}

export interface TokenisedCutText extends CutText {
  /** 1 for bytes at which a canonical token ends, else 0 [bytes]. */
  readonly ends: Uint8Array;
}

/** Of several texts. A share of nothing is NaN. */
export interface CutCounts {
  readonly bytesPerPatch: number;
  /** The share of the cuts that are inside a UTF-8 character. */
  readonly insideCharacterShare: number;
}

export interface TokenAgreement {
  /** The share of the cuts that are at the end of a canonical token, or, for late cuts, one character after it. */
  readonly cutPrecision: number;
  /** The share of the token ends that have a cut. */
  readonly cutRecall: number;
  /** The share of late cuts among the token ends that have a cut. */
  readonly lateShare: number;
  readonly bytesPerToken: number;
}

const total = <Text>(texts: readonly Text[], of: (text: Text) => number) =>
  texts.reduce((sum, text) => sum + of(text), 0);

/** The bytes after which a patch ends inside a text; the last patch ends with it, whatever the last cut is. */
const cutPlaces = ({ cuts }: CutText): number[] =>
  Array.from(cuts.subarray(0, -1), (cut, i) => (cut === NO_CUT ? -1 : i)).filter((i) => i >= 0);

const insideCharacters = (text: CutText) => cutPlaces(text).filter((i) => isContinuation(text.bytes[i + 1]!)).length;

/** @param texts with at least one byte in total */
export function cutCounts(texts: readonly CutText[]): CutCounts {
  const made = total(texts, (text) => cutPlaces(text).length);
  return {
    bytesPerPatch: total(texts, ({ bytes }) => bytes.length) / (texts.length + made),
    insideCharacterShare: total(texts, insideCharacters) / made,
  };
}

/** The numbers of token ends that were found by a cut in time or late; each end counts once. */
function foundEnds(text: TokenisedCutText): { readonly inTime: number; readonly late: number } {
  const { bytes, ends, cuts } = text;
  const hit = new Uint8Array(ends.length);
  for (const i of cutPlaces(text)) {
    const end = cuts[i] === CUT_LATE ? characterStart(bytes, i) - 1 : i;
    if (end >= 0 && ends[end] !== 0 && hit[end] === 0) hit[end] = cuts[i]!;
  }
  const count = (kind: number) => hit.reduce((sum, found) => sum + (found === kind ? 1 : 0), 0);
  return { inTime: count(CUT_AT_END), late: count(CUT_LATE) };
}

/** @param texts with at least one byte in total */
export function tokenAgreement(texts: readonly TokenisedCutText[]): TokenAgreement {
  const made = total(texts, (text) => cutPlaces(text).length);
  const hits = texts.map(foundEnds);
  const late = total(hits, (hit) => hit.late);
  const found = late + total(hits, (hit) => hit.inTime);
  const sum = (ends: Uint8Array) => ends.reduce((all, end) => all + end, 0);
  return {
    cutPrecision: found / made,
    // The last token of a text needs no cut.
    cutRecall: found / total(texts, ({ ends }) => sum(ends.subarray(0, -1))),
    lateShare: late / found,
    bytesPerToken: total(texts, ({ bytes }) => bytes.length) / total(texts, ({ ends }) => sum(ends)),
  };
}
