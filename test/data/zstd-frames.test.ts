import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createZstdFrames } from '../../src/data/zstd-frames.js';

const littleEndian = (value: number, count: number) =>
  Array.from({ length: count }, (_, i) => Math.floor(value / 256 ** i) % 256);

/** A frame of the format by hand: raw and run-length blocks of one byte value. */
const frame = fc
  .record({
    blocks: fc.array(fc.record({ runLength: fc.boolean(), count: fc.nat(300) }), { minLength: 1, maxLength: 4 }),
    singleSegment: fc.boolean(),
    sizeFlag: fc.nat(3),
  })
  .map(({ blocks, singleSegment, sizeFlag }) => {
    const total = blocks.reduce((sum, { count }) => sum + count, 0);
    // A field of two bytes counts from 256; one of one byte ends at 255.
    const flag = (sizeFlag === 1 && total < 256) || (sizeFlag === 0 && total > 255) ? 2 : sizeFlag;
    const sizeBytes = flag === 0 ? (singleSegment ? 1 : 0) : 2 ** flag;
    const body = blocks.flatMap(({ runLength, count }, i) => [
      ...littleEndian((count << 3) | (runLength ? 2 : 0) | (i === blocks.length - 1 ? 1 : 0), 3),
      ...(runLength ? [97] : Array<number>(count).fill(97)),
    ]);
    const header = [(flag << 6) | (singleSegment ? 0x20 : 0), ...(singleSegment ? [] : [0x50])];
    const size = littleEndian(flag === 1 ? total - 256 : total, sizeBytes);
    return { bytes: [0x28, 0xb5, 0x2f, 0xfd, ...header, ...size, ...body], content: 'a'.repeat(total) };
  });

const skippable = fc.record({ nibble: fc.nat(15), count: fc.nat(300) }).map(({ nibble, count }) => ({
  bytes: [0x50 | nibble, 0x2a, 0x4d, 0x18, ...littleEndian(count, 4), ...Array<number>(count).fill(1)],
  content: '',
}));

const file = fc.array(fc.oneof(frame, skippable), { minLength: 1, maxLength: 4 });

/** Where a frame ends, at every length of the file. */
function wholeAt(bytes: readonly number[]): number[] {
  const frames = createZstdFrames();
  const ends = frames.whole() ? [0] : [];
  bytes.forEach((byte, i) => {
    frames.push(Uint8Array.of(byte));
    if (frames.whole()) ends.push(i + 1);
  });
  return ends;
}

describe('zstd frames', () => {
  it('are whole at their ends and nowhere else, fed byte by byte or at once', () => {
    fc.assert(
      fc.property(file, (parts) => {
        const ends = [0];
        for (const { bytes } of parts) ends.push(ends.at(-1)! + bytes.length);
        const bytes = parts.flatMap((part) => part.bytes);
        expect(wholeAt(bytes)).toEqual(ends);
        const atOnce = createZstdFrames();
        atOnce.push(Uint8Array.from(bytes));
        expect(atOnce.whole()).toBe(true);
      }),
    );
  });

  it('with a checksum end after it', () => {
    const bytes = [0x28, 0xb5, 0x2f, 0xfd, 0x24, 1, 0x09, 0, 0, 97, 1, 2, 3, 4];
    expect(wholeAt(bytes)).toEqual([0, bytes.length]);
  });

  const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as Partial<
    Record<'zstdCompressSync' | 'zstdDecompressSync', (bytes: Uint8Array) => Buffer>
  >;

  it.runIf(zstdDecompressSync)('are what zlib reads and writes', () => {
    fc.assert(
      fc.property(frame, ({ bytes, content }) => {
        expect(zstdDecompressSync!(Uint8Array.from(bytes)).toString()).toBe(content);
      }),
    );
    const text = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `${i ** 2}`).join());
    const stored = zstdCompressSync!(text);
    expect(wholeAt([...stored])).toEqual([0, stored.length]);
  });
});
