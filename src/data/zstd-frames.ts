/**
 * @module Cuts a zstd file at the ends of its frames (RFC 8878, section 3.1). Node's decoder silently stops after the first frame of a chunk and
 * at the end of a truncated file, so frames are separated here. Their headers also show what no decoder could read.
 */
import { Unusable } from './refusal.js';

export interface ZstdFrames {
  /**
   * @returns the bytes to decode, in parts that never cross the end of a frame; skippable frames are left out.
   * @throws Unusable if the bytes are not a frame, or the frame cannot be decoded.
   */
  push(stored: Uint8Array): Uint8Array[];
  /** Whether the bytes so far end at the end of a frame. */
  whole(): boolean;
}

export interface ZstdFramesOptions {
  /** The largest window that the decoder supports; a frame with a larger one is rejected. */
  readonly maxWindowBytes: number;
  /** The remedy for such a frame, as the end of a sentence. */
  readonly wideRemedy: string;
}

/** The part of the format that the next bytes belong to. */
type Part = 'magic' | 'frame' | 'skipped';

/** The next bytes of the format, which are either examined or skipped over. */
interface Wanted {
  readonly count: number;
  readonly examine: boolean;
  readonly part: Part;
}

const examine = (count: number, part: Part = 'frame'): Wanted => ({ count, examine: true, part });
const pass = (count: number, part: Part = 'frame'): Wanted => ({ count, examine: false, part });

const MAGIC = 0xfd2fb528;
/** Magic numbers of zstd 0.1 to 0.7, which current libraries are built without. */
const LEGACY_MAGICS: readonly number[] = [
  0x1eb52ffd, 0xfd2fb522, 0xfd2fb523, 0xfd2fb524, 0xfd2fb525, 0xfd2fb526, 0xfd2fb527,
];
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const RUN_LENGTH_BLOCK = 1;

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** Skippable frames have the magic numbers 184D2A50 to 184D2A5F. */
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

/** Whether a file with these first bytes is zstd, of any version. */
export function isZstd(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const magic = littleEndian(head.subarray(0, 4));
  return magic === MAGIC || isSkippable(magic) || LEGACY_MAGICS.includes(magic);
}

/** Lengths in bytes of the header fields that follow a frame's descriptor. */
function headerFields(descriptor: number): { window: number; dictionary: number; contentSize: number } {
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  return {
    window: singleSegment ? 0 : 1,
    dictionary: DICTIONARY_ID_BYTES[descriptor & 3]!,
    contentSize: sizeFlag === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag]!,
  };
}

/** Bytes of the contents that a decoder must keep (section 3.1.1.1.2); all of them for a single segment. */
function windowBytes(header: Uint8Array, fields: ReturnType<typeof headerFields>): number {
  if (fields.window === 0) return littleEndian(header.subarray(fields.dictionary));
  const base = 2 ** (10 + (header[0]! >> 3));
  return base + (base / 8) * (header[0]! & 7);
}

function checkHeader(header: Uint8Array, descriptor: number, options: ZstdFramesOptions): void {
  const fields = headerFields(descriptor);
  if ((descriptor & 8) !== 0) throw new Unusable('its zstd data is damaged (a reserved bit is set)');
  const dictionary = littleEndian(header.subarray(fields.window, fields.window + fields.dictionary));
  if (dictionary !== 0)
    throw new Unusable(
      `it was compressed with the zstd dictionary ${dictionary}, which is not in the file; decompress it first (zstd -d -D DICTIONARY)`,
    );
  const window = windowBytes(header, fields);
  if (window <= options.maxWindowBytes) return;
  throw new Unusable(`its zstd data needs a window of ${inUnits(window)}, but ${options.wideRemedy}`);
}

function inUnits(bytes: number): string {
  const power = Math.floor(Math.log2(bytes) / 10);
  return `${Number((bytes / 2 ** (10 * power)).toFixed(1))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'][power]}`;
}

function refuseMagic(magic: number, isFirst: boolean): never {
  if (LEGACY_MAGICS.includes(magic))
    throw new Unusable('it was written by zstd before 0.8, whose format is no longer supported; recompress it');
  throw new Unusable(isFirst ? 'it is not zstd data' : 'its last zstd frame is followed by bytes that are not zstd');
}

function* frames(options: ZstdFramesOptions): Generator<Wanted, never, Uint8Array> {
  for (let isFirst = true; ; isFirst = false) {
    const magic = littleEndian(yield examine(4, 'magic'));
    if (isSkippable(magic)) {
      yield pass(littleEndian(yield examine(4, 'skipped')), 'skipped');
      continue;
    }
    if (magic !== MAGIC) refuseMagic(magic, isFirst);
    const descriptor = (yield examine(1))[0]!;
    const { window, dictionary, contentSize } = headerFields(descriptor);
    checkHeader(yield examine(window + dictionary + contentSize), descriptor, options);
    for (let last = false; !last; ) {
      const header = littleEndian(yield examine(3));
      last = (header & 1) === 1;
      yield pass(((header >> 1) & 3) === RUN_LENGTH_BLOCK ? 1 : header >> 3);
    }
    const hasChecksum = (descriptor & 4) !== 0;
    yield pass(hasChecksum ? 4 : 0);
  }
}

export function createZstdFrames(options: ZstdFramesOptions): ZstdFrames {
  const walker = frames(options);
  let wanted = walker.next(new Uint8Array()).value;
  let missing = wanted.count;
  let seen: number[] = [];
  return {
    push(stored) {
      const parts: Uint8Array[] = [];
      let at = 0;
      let begin = 0; // of the bytes that are not in parts yet
      const cut = () => {
        if (wanted.part === 'frame' && at > begin) parts.push(stored.subarray(begin, at));
        begin = at;
      };
      while (at < stored.length) {
        const count = Math.min(missing, stored.length - at);
        if (wanted.examine) seen.push(...stored.subarray(at, at + count));
        at += count;
        missing -= count;
        while (missing === 0) {
          const before = wanted.part;
          const bytes = Uint8Array.from(seen);
          const next = walker.next(bytes).value;
          if (before !== next.part && before !== 'magic') cut();
          // The magic number is kept back until it proves to be a frame's; part of it may have arrived with the previous chunk.
          if (before === 'magic') {
            if (next.part === 'frame' && at < bytes.length) parts.push(bytes);
            begin = next.part === 'frame' && at >= bytes.length ? at - bytes.length : at;
          }
          wanted = next;
          missing = wanted.count;
          seen = [];
        }
      }
      cut();
      return parts;
    },
    whole: () => wanted.part === 'magic' && missing === wanted.count,
  };
}
