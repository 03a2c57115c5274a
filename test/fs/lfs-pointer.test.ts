import { expect, it } from 'vitest';
import { lfsPointer } from '../../src/fs/lfs-pointer.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const OID = `oid sha256:${'ab'.repeat(32)}`;

it.each([
  ['of git-lfs', `version https://git-lfs.github.com/spec/v1\n${OID}\nsize 2471645608\n`, 2471645608],
  ['with an extension', `version https://git-lfs.github.com/spec/v1\next-0-foo sha256:ab\n${OID}\nsize 7\n`, 7],
  ['with the line ends of Windows', `version https://git-lfs.github.com/spec/v1\r\n${OID}\r\nsize 7\r\n`, 7],
  ['from before the first release', `version https://hawser.github.com/spec/v1\n${OID}\nsize 7\n`, 7],
  ['that is truncated', 'version https://git-lfs.github.com/spec/v1\noid', null],
])('a pointer %s is recognised', (_what, text, sizeBytes) => {
  expect(lfsPointer(bytes(text))).toEqual({ sizeBytes });
});

it.each([
  ['that mentions git-lfs later', 'See version https://git-lfs.github.com/spec/v1'],
  ['that begins with another version line', 'version 1.0 of this document'],
  ['that is empty', ''],
])('a file %s is not a pointer', (_what, text) => {
  expect(lfsPointer(bytes(text))).toBeNull();
});

it('a view of a larger buffer is read from its own beginning', () => {
  const whole = bytes('xxxxversion https://git-lfs.github.com/spec/v1\nsize 5\n');
  expect(lfsPointer(whole.subarray(4))).toEqual({ sizeBytes: 5 });
  expect(lfsPointer(whole)).toBeNull();
});
