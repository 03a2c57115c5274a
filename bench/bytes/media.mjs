// Small pictures and sounds as uncompressed files, which a model of a few million parameters can read: BMP of 16 by 16 pixels, and WAV of 8 bits
// at 8 kHz. Compressed formats hide from it what repeats.
import { PNG } from 'pngjs';

/** Pixels in a row and in a column. */
export const SIDE = 16;
const BMP_HEADER = 54;

/** The mean of a box of pixels over white. @param {PNG} png */
function meanOver({ width, height, data }, column, row) {
  const [left, right] = [column, column + 1].map((at) => Math.floor((at * width) / SIDE));
  const [top, bottom] = [row, row + 1].map((at) => Math.floor((at * height) / SIDE));
  const sums = [0, 0, 0];
  for (let y = top; y < Math.max(bottom, top + 1); y++)
    for (let x = left; x < Math.max(right, left + 1); x++) {
      const at = (y * width + x) * 4;
      const alpha = data[at + 3] / 255;
      for (let c = 0; c < 3; c++) sums[c] += data[at + c] * alpha + 255 * (1 - alpha);
    }
  const count = Math.max(1, bottom - top) * Math.max(1, right - left);
  return sums.map((sum) => Math.round(sum / count));
}

/**
 * A PNG as an uncompressed BMP with 24 bits per pixel, rows from the bottom up; null if it is smaller than that.
 * @param {Buffer} file
 */
export function bitmapOf(file) {
  const png = PNG.sync.read(file);
  if (png.width < SIDE || png.height < SIDE) return null;
  const bmp = Buffer.alloc(BMP_HEADER + SIDE * SIDE * 3);
  bmp.write('BM');
  bmp.writeUInt32LE(bmp.length, 2);
  bmp.writeUInt32LE(BMP_HEADER, 10);
  bmp.writeUInt32LE(40, 14); // size of the second header
  bmp.writeInt32LE(SIDE, 18);
  bmp.writeInt32LE(SIDE, 22);
  bmp.writeUInt16LE(1, 26); // planes
  bmp.writeUInt16LE(24, 28); // bits per pixel
  bmp.writeUInt32LE(SIDE * SIDE * 3, 34);
  for (let row = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++) {
      const [red, green, blue] = meanOver(png, column, SIDE - 1 - row);
      bmp.set([blue, green, red], BMP_HEADER + (row * SIDE + column) * 3);
    }
  return bmp;
}

const RATE = 8000;

/** The chunks of a RIFF file by name. @param {Buffer} file */
function chunksOf(file) {
  const chunks = new Map();
  for (let at = 12; at + 8 <= file.length; ) {
    const size = file.readUInt32LE(at + 4);
    chunks.set(file.toString('latin1', at, at + 4), file.subarray(at + 8, at + 8 + size));
    at += 8 + size + (size % 2);
  }
  return chunks;
}

/**
 * A WAV of 16 bits as one of 8 bits, 8 kHz and one channel, of at most `seconds`. Each sample is the mean of those that it stands for.
 * @param {Buffer} file @param {number} seconds
 */
export function soundOf(file, seconds) {
  const chunks = chunksOf(file);
  const [format, data] = [chunks.get('fmt '), chunks.get('data')];
  const [kind, channels, rate, bits] = [
    format.readUInt16LE(0),
    format.readUInt16LE(2),
    format.readUInt32LE(4),
    format.readUInt16LE(14),
  ];
  if (kind !== 1 || bits !== 16 || rate < RATE) return null;
  const frames = data.length / (2 * channels);
  const samples = Math.min(Math.floor((frames * RATE) / rate), seconds * RATE);
  const wav = Buffer.alloc(44 + samples);
  wav.write('RIFF');
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(RATE, 28);
  wav.writeUInt16LE(1, 32);
  wav.writeUInt16LE(8, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples, 40);
  for (let i = 0; i < samples; i++) {
    const [from, to] = [i, i + 1].map((at) => Math.floor((at * rate) / RATE));
    let sum = 0;
    for (let at = from; at < to; at++)
      for (let channel = 0; channel < channels; channel++) sum += data.readInt16LE((at * channels + channel) * 2);
    wav[44 + i] = Math.min(255, Math.round(sum / ((to - from) * channels) / 256) + 128);
  }
  return wav;
}
