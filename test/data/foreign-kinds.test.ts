import { describe, expect, it } from 'vitest';
import { foreignKind } from '../../src/data/foreign-kinds.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const tar = Buffer.alloc(512);
tar.write('ustar', 257);

describe('a file that is not text', () => {
  it.each([
    ['a Parquet file', bytes('PAR1\x15\x04'), 'read directly'],
    ['an Arrow file', bytes('ARROW1\0\0\xff\xff\xff\xff'), 'JSON lines'],
    ['an Arrow file', bytes('\xff\xff\xff\xff\x98\x02\0\0\x10\0\0\0\0\0'), 'JSON lines'],
    ['a zip archive', bytes('PK\x03\x04\x14\0'), 'unpack'],
    ['a tar archive', tar, 'unpack'],
    ['bzip2 data', bytes('BZh91AY&SY\0'), 'bzip2 -d'],
    ['xz data', bytes('\xfd7zXZ\0\0\x04'), 'xz -d'],
    ['lz4 data', bytes('\x04\x22\x4d\x18d@'), 'lz4 -d'],
    ['a PDF', bytes('%PDF-1.7\n%'), 'pdftotext'],
    ['an image', bytes('\x89PNG\r\n\x1a\n'), 'only text'],
    ['an image', bytes('\xff\xd8\xff\xe0\0\x10JFIF'), 'only text'],
    ['an old Office document', bytes('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'plain text'],
    ['a GGUF model', bytes('GGUF\x03\0\0\0'), 'only text'],
    ['a safetensors file', bytes('\x40\0\0\0\0\0\0\0{"__metadata__"'), 'only text'],
    ['a Python pickle', bytes('\x80\x04\x95\x10'), 'JSON lines'],
    ['UTF-16 text', Buffer.from('\uFEFFtext', 'utf16le'), 'iconv -f UTF-16 '],
    ['UTF-32 text', bytes('\xff\xfe\0\0t\0\0\0'), 'iconv -f UTF-32 '],
    ['UTF-16 text without a byte order mark', Buffer.from('plain text', 'utf16le'), 'iconv -f UTF-16LE '],
    ['UTF-16 text without a byte order mark', Buffer.from('plain text', 'utf16le').swap16(), 'iconv -f UTF-16BE '],
  ])('is recognised as %s', (name, head, remedy) => {
    expect(foreignKind(head)).toContain(`it is ${name}; `);
    expect(foreignKind(head)).toContain(remedy);
  });

  it('is recognised as a git-lfs pointer', () => {
    expect(foreignKind(bytes('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n'))).toBe(
      'it is a git-lfs pointer: the file itself, of 5 bytes, was not downloaded; run git lfs pull',
    );
  });

  it.each([
    'PARENTS AND CHILDREN',
    'ORCHARDS in spring',
    'GGUF is a format of weights.',
    'ID3 is an algorithm that builds decision trees.',
    'RIFF is a container.',
    'MZ begins every program.',
    'BZh is how bzip2 begins.',
    'Object',
    'PK',
    '{"text": "a"}',
    'version 2',
    'II and MM tell the byte order.',
    'größer, 東京タワー 🗼',
    '',
  ])('is not mistaken for the text %j', (text) => {
    expect(foreignKind(Buffer.from(text.padEnd(text === '' ? 0 : 600, ' and so on')))).toBeNull();
  });
});
