/** @module How well patches follow the source's tokens, and what that costs the source: sums over texts. No TensorFlow. */
import { bitsPerByte } from '../blt/index.js';
import { type ByteReading, CUT_AT_END, CUT_LATE, NO_CUT } from '../patching/index.js';

/** The source on a text that is cut in some way: nats of each byte under its next-token distribution summed to bytes. */
export interface SourceNats {
  readonly canonical: Float32Array;
  readonly inPatches: Float32Array;
  /** Of each byte in patches: inside a token, or the first of one whose patch began in time, late, or whose token begins inside a patch. */
  readonly places: readonly ByteReading[];
}

export interface SegmentedText {
  /** 1 where a canonical token ends at a byte [bytes]. */
  readonly ends: Uint8Array;
  /** What happens behind each byte [bytes]. */
  readonly cuts: Uint8Array;
  /** The patcher's own, of all bytes together. */
  readonly patcherNats: number;
  readonly source: SourceNats;
}

/** Of some texts together. Bits are per byte of all text; the three of first bytes are parts of those in patches. */
export interface SegmentationReport {
  readonly bytes: number;
  /** Cuts at a canonical token's end, or one byte after it where they say so, of all cuts. */
  readonly cutPrecision: number;
  /** Token ends that are cut at, of all. */
  readonly cutRecall: number;
  /** Of the token ends that are cut at: those cut at one byte late. */
  readonly lateShare: number;
  readonly bytesPerPatch: number;
  readonly bytesPerToken: number;
  readonly patcherBitsPerByte: number;
  readonly canonicalBitsPerByte: number;
  readonly inPatchesBitsPerByte: number;
  readonly freshFirstBytesBitsPerByte: number;
  readonly staleFirstBytesBitsPerByte: number;
  /** First bytes of tokens that begin inside a patch: a BLT has no state of the source before them. */
  readonly unreadFirstBytesBitsPerByte: number;
}

/** Cuts inside a text, and those that are at a token's end: each end counts once. */
function hits({ ends, cuts }: SegmentedText) {
  const hit = new Uint8Array(ends.length);
  let [made, late] = [0, 0];
  for (let i = 0; i < cuts.length - 1; i++) {
    if (cuts[i] === NO_CUT) continue;
    made++;
    const end = cuts[i] === CUT_LATE ? i - 1 : i;
    if (end < 0 || ends[end] === 0 || hit[end] !== 0) continue;
    hit[end] = cuts[i]!;
    if (cuts[i] === CUT_LATE) late++;
  }
  const inTime = hit.reduce((sum, kind) => sum + (kind === CUT_AT_END ? 1 : 0), 0);
  return { made, late, found: inTime + late };
}

/** @param texts at least one byte together. */
export function segmentationReport(texts: readonly SegmentedText[]): SegmentationReport {
  const total = (of: (text: SegmentedText) => number) => texts.reduce((sum, text) => sum + of(text), 0);
  const sum = (values: Float32Array, where: (i: number) => boolean = () => true) =>
    values.reduce((all, value, i) => (where(i) ? all + value : all), 0);
  const bytes = total(({ ends }) => ends.length);
  const perByte = (of: (text: SegmentedText) => number) => bitsPerByte(total(of), bytes);
  const place = (wanted: ByteReading) =>
    perByte(({ source }) => sum(source.inPatches, (i) => source.places[i] === wanted));
  const cuts = texts.map(hits);
  const counted = (key: 'made' | 'late' | 'found') => cuts.reduce((all, text) => all + text[key], 0);
  // A token that ends with its text needs no cut.
  const ends = total(({ ends }) => ends.subarray(0, -1).reduce((all, end) => all + end, 0));
  return {
    bytes,
    cutPrecision: counted('found') / counted('made'),
    cutRecall: counted('found') / ends,
    lateShare: counted('late') / counted('found'),
    bytesPerPatch: bytes / (texts.length + counted('made')),
    bytesPerToken: bytes / total(({ ends }) => ends.reduce((all, end) => all + end, 0)),
    patcherBitsPerByte: perByte(({ patcherNats }) => patcherNats),
    canonicalBitsPerByte: perByte(({ source }) => sum(source.canonical)),
    inPatchesBitsPerByte: perByte(({ source }) => sum(source.inPatches)),
    freshFirstBytesBitsPerByte: place('fresh'),
    staleFirstBytesBitsPerByte: place('stale'),
    unreadFirstBytesBitsPerByte: place('unread'),
  };
}
