import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { bitmapOf, SIDE, soundOf } from '../../../bench/bytes/media.mjs';

/** A picture of one colour, left half transparent. */
function picture(size: number, [red, green, blue]: readonly [number, number, number]): Buffer {
  const png = new PNG({ width: size, height: size });
  for (let at = 0; at < size * size; at++) png.data.set([red, green, blue, at % size < size / 2 ? 0 : 255], at * 4);
  return PNG.sync.write(png);
}

/** A WAV of 16 bits with these samples in each channel. */
function wav(samples: readonly number[], rate: number, channels: number): Buffer {
  const file = Buffer.alloc(44 + samples.length * channels * 2);
  file.write('RIFF');
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(samples.length * channels * 2, 40);
  samples.forEach((sample, i) => {
    for (let channel = 0; channel < channels; channel++) file.writeInt16LE(sample, 44 + (i * channels + channel) * 2);
  });
  return file;
}

describe('a picture', () => {
  it('becomes an uncompressed one of 16 by 16 pixels over white', () => {
    for (const size of [SIDE, 48, 50]) {
      const bmp = bitmapOf(picture(size, [10, 20, 30]))!;
      expect([bmp.toString('latin1', 0, 2), bmp.readUInt32LE(2), bmp.length]).toEqual(['BM', 822, 822]);
      const pixel = (column: number) => [...bmp.subarray(54 + column * 3, 57 + column * 3)];
      expect(pixel(0)).toEqual([255, 255, 255]);
      // Blue comes first.
      expect(pixel(SIDE - 1)).toEqual([30, 20, 10]);
    }
  });

  it('that is smaller is left out', () => {
    expect(bitmapOf(picture(8, [1, 2, 3]))).toBeNull();
  });
});

describe('a sound', () => {
  it('becomes one of 8 bits at 8 kHz, the loudest included, of limited length', () => {
    const loud = soundOf(wav(Array(1600).fill(32_767), 16_000, 2), 5)!;
    expect([loud.readUInt16LE(22), loud.readUInt32LE(24), loud.readUInt16LE(34)]).toEqual([1, 8000, 8]);
    expect([...new Set(loud.subarray(44))]).toEqual([255]);
    expect(loud.length).toBe(44 + 800);
    const quiet = soundOf(wav(Array(20_000).fill(-32_768), 8000, 1), 1)!;
    expect([...new Set(quiet.subarray(44))]).toEqual([0]);
    expect(quiet.length).toBe(44 + 8000);
  });

  it('of another format is left out', () => {
    expect(soundOf(wav([1, 2, 3], 4000, 1), 1)).toBeNull();
  });
});
