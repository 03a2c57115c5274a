/** @module Builds archives frame by frame, for property tests. */
import fc from 'fast-check';

export const littleEndian = (value: number, count: number) =>
  Array.from({ length: count }, (_, i) => Math.floor(value / 256 ** i) % 256);

/** A zstd frame built by hand: raw and run-length blocks of one byte value. */
export const zstdFrame = fc
  .record({
    blocks: fc.array(fc.record({ runLength: fc.boolean(), count: fc.nat(300) }), { minLength: 1, maxLength: 4 }),
    singleSegment: fc.boolean(),
    sizeFlag: fc.nat(3),
    letter: fc.constantFrom('a', 'b', 'c'),
  })
  .map(({ blocks, singleSegment, sizeFlag, letter }) => {
    const byte = letter.charCodeAt(0);
    const total = blocks.reduce((sum, { count }) => sum + count, 0);
    // A field of two bytes counts from 256; one of one byte ends at 255.
    const flag = (sizeFlag === 1 && total < 256) || (sizeFlag === 0 && total > 255) ? 2 : sizeFlag;
    const sizeBytes = flag === 0 ? (singleSegment ? 1 : 0) : 2 ** flag;
    const body = blocks.flatMap(({ runLength, count }, i) => [
      ...littleEndian((count << 3) | (runLength ? 2 : 0) | (i === blocks.length - 1 ? 1 : 0), 3),
      ...(runLength ? [byte] : Array<number>(count).fill(byte)),
    ]);
    const header = [(flag << 6) | (singleSegment ? 0x20 : 0), ...(singleSegment ? [] : [0x50])];
    const size = littleEndian(flag === 1 ? total - 256 : total, sizeBytes);
    return {
      bytes: [0x28, 0xb5, 0x2f, 0xfd, ...header, ...size, ...body],
      content: letter.repeat(total),
      isFrame: true,
    };
  });

const skippable = fc.record({ nibble: fc.nat(15), count: fc.nat(300) }).map(({ nibble, count }) => ({
  bytes: [0x50 | nibble, 0x2a, 0x4d, 0x18, ...littleEndian(count, 4), ...Array<number>(count).fill(1)],
  content: '',
  isFrame: false,
}));

export const zstdFile = fc.array(fc.oneof(zstdFrame, skippable), { minLength: 1, maxLength: 4 });

/** The bytes in chunks of the given lengths. */
export function inChunks(bytes: readonly number[], lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!;
    chunks.push(Uint8Array.from(bytes.slice(at, at + length)));
    at += length;
  }
  return chunks;
}

export const someLengths = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });
