import { expect, it } from 'vitest';
import { refuseForeignContent } from '../../src/fs/foreign-content.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

it.each([
  [
    'a pointer',
    'version https://git-lfs.github.com/spec/v1\nsize 12\n',
    /x is a git-lfs pointer: .* of 12 bytes, was not/,
  ],
  ['a pointer without a size', 'version https://git-lfs.github.com/spec/v1\n', /itself was not downloaded/],
  ['a web page', '\n<!DOCTYPE html><html>', /x is a web page/],
  ['an XML response', '<?xml version="1.0"?><Error>', /x is a web page/],
  ['a refusal', 'Invalid username or password.', /x contains the response of a server/],
  ['a PyTorch checkpoint', 'PK\x03\x04', /x is a zip archive, as PyTorch/],
  ['an old PyTorch checkpoint', '\x80\x02\x8a', /x is a Python pickle/],
  ['a gzip file', '\x1f\x8b\x08', /x is compressed with gzip/],
  ['nothing', '', /x is empty/],
])('%s is recognised', (_what, text, message) => {
  expect(() => refuseForeignContent(bytes(text), 'x')).toThrow(message);
});

it.each(['{"a": 1}', 'GGUF\x03\0\0\0', '\x50\x02\0\0\0\0\0\0{"t":{}}', 'Text about <html>'])(
  '%j is accepted',
  (text) => {
    refuseForeignContent(bytes(text), 'x');
  },
);
