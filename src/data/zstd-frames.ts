/**
 * @module Whether a zstd file is whole. Node 22 reads one that breaks off to the tear and says nothing, so its frames are counted here
 * (RFC 8878, section 3.1).
 */

export interface ZstdFrames {
  push(stored: Uint8Array): void;
  /** Whether a frame ends where the bytes so far end. */
  whole(): boolean;
}

/** The next bytes of the format, which are looked at or passed over. */
interface Wanted {
  readonly count: number;
  readonly look: boolean;
  /** No frame has begun. */
  readonly between?: true;
}

const look = (count: number): Wanted => ({ count, look: true });
const pass = (count: number): Wanted => ({ count, look: false });

const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const RUN_LENGTH_BLOCK = 1;

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** Magic numbers 184D2A50 to 184D2A5F. */
function isSkippable([first = 0, ...others]: Uint8Array): boolean {
  return (first & 0xf0) === 0x50 && others.join() === '42,77,24';
}

/** Bytes of a frame's header after its descriptor. */
function headerBytes(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const contentSize = sizeFlag === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag]!;
  return (singleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 3]! + contentSize;
}

function* frames(): Generator<Wanted, never, Uint8Array> {
  for (;;) {
    const magic = yield { ...look(4), between: true };
    if (isSkippable(magic)) {
      yield pass(littleEndian(yield look(4)));
      continue;
    }
    const descriptor = (yield look(1))[0]!;
    yield pass(headerBytes(descriptor));
    for (let last = false; !last; ) {
      const header = littleEndian(yield look(3));
      last = (header & 1) === 1;
      yield pass(((header >> 1) & 3) === RUN_LENGTH_BLOCK ? 1 : header >> 3);
    }
    const hasChecksum = (descriptor & 4) !== 0;
    yield pass(hasChecksum ? 4 : 0);
  }
}

export function createZstdFrames(): ZstdFrames {
  const walker = frames();
  let wanted = walker.next(new Uint8Array()).value;
  let missing = wanted.count;
  let seen: number[] = [];
  return {
    push(stored) {
      let at = 0;
      while (at < stored.length) {
        const taken = Math.min(missing, stored.length - at);
        if (wanted.look) seen.push(...stored.subarray(at, at + taken));
        at += taken;
        missing -= taken;
        while (missing === 0) {
          wanted = walker.next(Uint8Array.from(seen)).value;
          missing = wanted.count;
          seen = [];
        }
      }
    },
    whole: () => wanted.between === true && missing === wanted.count,
  };
}
