import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createZstdFrames, isZstd } from '../../src/data/zstd-frames.js';
import { zstdFile as file, zstdFrame as frame, inChunks, littleEndian, someLengths } from '../support/archives.js';

const OPTIONS = { maxWindowBytes: 2 ** 27, wideRemedy: 'that is too much' };

/** Whether the file ends with a frame, at every length. */
function wholeAt(bytes: readonly number[]): number[] {
  const frames = createZstdFrames(OPTIONS);
  const ends = frames.whole() ? [0] : [];
  bytes.forEach((byte, i) => {
    frames.push(Uint8Array.of(byte));
    if (frames.whole()) ends.push(i + 1);
  });
  return ends;
}

describe('zstd frames', () => {
  it('are complete at their ends and nowhere else, whether fed byte by byte or at once', () => {
    fc.assert(
      fc.property(file, (parts) => {
        const ends = [0];
        for (const { bytes } of parts) ends.push(ends.at(-1)! + bytes.length);
        const bytes = parts.flatMap((part) => part.bytes);
        expect(wholeAt(bytes)).toEqual(ends);
        const atOnce = createZstdFrames(OPTIONS);
        atOnce.push(Uint8Array.from(bytes));
        expect(atOnce.whole()).toBe(true);
      }),
    );
  });

  it('are yielded without skippable frames, in parts that never cross the end of a frame', () => {
    fc.assert(
      fc.property(file, someLengths, (parts, cuts) => {
        const frames = createZstdFrames(OPTIONS);
        const come = inChunks(
          parts.flatMap(({ bytes }) => bytes),
          cuts,
        ).flatMap((chunk) => frames.push(chunk));
        const wanted = parts.filter(({ isFrame }) => isFrame).map(({ bytes }) => bytes);
        expect(come.flatMap((bytes) => [...bytes])).toEqual(wanted.flat());
        const lengths = come.map(({ length }) => length);
        for (const { length } of wanted) {
          let left = length;
          while (left > 0) left -= lengths.shift()!;
          expect(left).toBe(0);
        }
      }),
    );
  });

  it('end after their checksum, if they have one', () => {
    const bytes = [0x28, 0xb5, 0x2f, 0xfd, 0x24, 1, 0x09, 0, 0, 97, 1, 2, 3, 4];
    expect(wholeAt(bytes)).toEqual([0, bytes.length]);
  });

  it('that no decoder can read are refused with what they need', () => {
    const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
    const push = (...bytes: number[]) => createZstdFrames(OPTIONS).push(Uint8Array.from(bytes));
    // Windows of 2^31 bytes, as --long=31 writes it; of 1.5 * 2^27; of contents of that size; and of 2^27, which is accepted.
    expect(() => push(...MAGIC, 0, 21 << 3)).toThrow('needs a window of 2 GiB, but that is too much');
    expect(() => push(...MAGIC, 0, (17 << 3) | 4)).toThrow('a window of 192 MiB');
    expect(() => push(...MAGIC, 0xe0, 0, 0, 0, 0, 3, 0, 0, 0)).toThrow('a window of 12 GiB');
    expect(push(...MAGIC, 0, 17 << 3)).toHaveLength(1);
    expect(() => push(...MAGIC, 2, 0, 0x39, 0x30)).toThrow('the zstd dictionary 12345');
    expect(() => push(...MAGIC, 8, 0)).toThrow('a reserved bit');
    expect(() => push(0x25, 0xb5, 0x2f, 0xfd)).toThrow('zstd before 0.8');
    expect(() => push(...littleEndian(0x184d2a5f, 4), 0, 0, 0, 0, 1, 2, 3, 4)).toThrow(
      'followed by bytes that are not zstd',
    );
    expect(() => push(1, 2, 3, 4)).toThrow('not zstd data');
  });

  it('are recognised by the first bytes of a file', () => {
    expect(isZstd(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd))).toBe(true);
    expect(isZstd(Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18))).toBe(true);
    expect(isZstd(Uint8Array.of(0x23, 0xb5, 0x2f, 0xfd))).toBe(true);
    expect(isZstd(Uint8Array.of(0x28, 0xb5, 0x2f))).toBe(false);
    expect(isZstd(new TextEncoder().encode('text of its own'))).toBe(false);
  });

  const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as Partial<
    Record<'zstdCompressSync' | 'zstdDecompressSync', (bytes: Uint8Array) => Buffer>
  >;

  it.runIf(zstdDecompressSync)('agree with zlib’s', () => {
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
