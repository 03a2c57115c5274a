/** @module Formats that browsers show or play, by the bytes that a file begins with. */

interface Format {
  /** The bytes that a file of the format begins with, as Latin-1. */
  readonly begins: RegExp;
  readonly type: string;
}

const FORMATS: readonly Format[] = [
  { begins: /^BM/, type: 'image/bmp' },
  { begins: /^\x89PNG\r\n/, type: 'image/png' },
  { begins: /^GIF8/, type: 'image/gif' },
  { begins: /^\xff\xd8\xff/, type: 'image/jpeg' },
  { begins: /^RIFF.{4}WEBP/s, type: 'image/webp' },
  { begins: /^RIFF.{4}WAVE/s, type: 'audio/wav' },
  { begins: /^OggS/, type: 'audio/ogg' },
  { begins: /^(ID3|\xff[\xf2\xf3\xfb])/, type: 'audio/mpeg' },
];

/** The media type of a picture or a sound; null if no browser shows or plays it. */
export function mediaType(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  return FORMATS.find(({ begins }) => begins.test(head))?.type ?? null;
}
