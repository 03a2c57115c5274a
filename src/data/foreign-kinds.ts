// biome-ignore-all lint/suspicious/noControlCharactersInRegex: binary formats begin with control characters
/** @module Recognises files that contain no plain text by their first bytes, and says what to do with each kind. */
import { lfsPointer, pointerWords } from '../fs/index.js';
import { HEAD_BYTES } from './chunk-reader.js';

interface ForeignKind {
  /** Matched against the first bytes, decoded as Latin-1: one character per byte. */
  readonly begins: RegExp;
  readonly name: string;
  readonly remedy: string;
}

const ROWS = 'convert its rows to JSON lines first (pandas: to_json with orient="records" and lines=True)';
const UNPACK = 'unpack it first and pass the folder';
const AS_TEXT = 'save it as plain text first';
const NO_TEXT = 'only text can be used';

const decompress = (command: string) => `decompress it first (${command}); gzip and zstd are read directly`;
const reencode = (from: string) => `convert it to UTF-8 first (iconv -f ${from} -t UTF-8)`;

/**
 * The first match wins. If a format's magic is letters, the pattern includes what follows them: a text may begin with "ORCHARDS".
 * Sources: the formats' specifications, and the table of file(1) for formats without one.
 */
const FOREIGN_KINDS: readonly ForeignKind[] = [
  // Reached only inside a compression.
  { begins: /^PAR1/, name: 'a Parquet file', remedy: 'decompress it first; Parquet is read directly' },
  { begins: /^(ARROW1\0\0|\xff\xff\xff\xff[\0-\xff]{3}\0\x10\0\0\0)/, name: 'an Arrow file', remedy: ROWS },
  { begins: /^FEA1\0/, name: 'a Feather file', remedy: ROWS },
  { begins: /^ORC[\0-\x08]/, name: 'an ORC file', remedy: ROWS },
  { begins: /^Obj\x01/, name: 'an Avro file', remedy: ROWS },
  { begins: /^SQLite format 3\0/, name: 'an SQLite database', remedy: ROWS },
  { begins: /^\x89HDF\r\n/, name: 'an HDF5 file', remedy: ROWS },
  { begins: /^\x93NUMPY/, name: 'a NumPy array', remedy: NO_TEXT },
  { begins: /^PK(\x03\x04|\x05\x06|\x07\x08)/, name: 'a zip archive', remedy: UNPACK },
  { begins: /^[\0-\xff]{257}ustar/, name: 'a tar archive', remedy: UNPACK },
  { begins: /^7z\xbc\xaf\x27\x1c/, name: 'a 7z archive', remedy: UNPACK },
  { begins: /^Rar!\x1a\x07/, name: 'a RAR archive', remedy: UNPACK },
  { begins: /^BZh[1-9](1AY&SY|\x17rE8P\x90)/, name: 'bzip2 data', remedy: decompress('bzip2 -d') },
  { begins: /^\xfd7zXZ\0/, name: 'xz data', remedy: decompress('xz -d') },
  { begins: /^\x5d\0\0[\0-\xff]{2}(\xff{8}|[\0-\xff]{5}\0{3})/, name: 'lzma data', remedy: decompress('xz -d') },
  { begins: /^LZIP\x01/, name: 'lzip data', remedy: decompress('lzip -d') },
  { begins: /^\x04\x22\x4d\x18/, name: 'lz4 data', remedy: decompress('lz4 -d') },
  { begins: /^\x1f[\x9d\xa0]/, name: 'compress (.Z) data', remedy: decompress('uncompress') },
  { begins: /^\xff\x06\0\0sNaPpY/, name: 'snappy data', remedy: decompress('snzip -d') },
  { begins: /^\x1f\x8b/, name: 'gzip data', remedy: 'decompress it once' },
  { begins: /^\x28\xb5\x2f\xfd/, name: 'zstd data', remedy: 'decompress it once' },
  { begins: /^%PDF-/, name: 'a PDF', remedy: 'extract its text first (pdftotext)' },
  { begins: /^\{\\rtf/, name: 'RTF', remedy: AS_TEXT },
  { begins: /^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/, name: 'an old Office document', remedy: AS_TEXT },
  { begins: /^(\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF[\0-\xff]{4}WEBP|II\*\0|MM\0\*)/, name: 'an image', remedy: NO_TEXT },
  {
    begins: /^(RIFF[\0-\xff]{4}(WAVE|AVI )|ID3[\x02-\x04]|OggS\0|fLaC\0|\0\0\0[\0-\xff]ftyp)/,
    name: 'an audio or video file',
    remedy: NO_TEXT,
  },
  { begins: /^(\x7fELF|MZ[\0-\xff]{58,}PE\0\0|[\xce\xcf]\xfa\xed\xfe)/, name: 'an executable', remedy: NO_TEXT },
  { begins: /^GGUF[\x01-\x08]\0\0\0/, name: 'a GGUF model', remedy: NO_TEXT },
  { begins: /^[\0-\xff]{7}\0\{"/, name: 'a safetensors file', remedy: NO_TEXT },
  { begins: /^\x80[\x02-\x05][\x8a\x95(}\]c]/, name: 'a Python pickle', remedy: ROWS },
  { begins: /^(\xff\xfe\0\0|\0\0\xfe\xff)/, name: 'UTF-32 text', remedy: reencode('UTF-32') },
  { begins: /^(\xff\xfe|\xfe\xff)/, name: 'UTF-16 text', remedy: reencode('UTF-16') },
  // Without a byte order mark: ASCII in which every other byte is zero.
  { begins: /^([\t\n\r -~]\0){8}/, name: 'UTF-16 text without a byte order mark', remedy: reencode('UTF-16LE') },
  { begins: /^(\0[\t\n\r -~]){8}/, name: 'UTF-16 text without a byte order mark', remedy: reencode('UTF-16BE') },
];

/**
 * @param head the first bytes of a file; at most 4 KiB are used.
 * @returns a clause that begins with "it", for a message; null if the file may be text.
 */
export function foreignKind(head: Uint8Array): string | null {
  const pointer = lfsPointer(head);
  if (pointer !== null) return `it ${pointerWords(pointer)}; run git lfs pull`;
  const text = Buffer.from(head.subarray(0, HEAD_BYTES)).toString('latin1');
  const kind = FOREIGN_KINDS.find(({ begins }) => begins.test(text));
  return kind === undefined ? null : `it is ${kind.name}; ${kind.remedy}`;
}
