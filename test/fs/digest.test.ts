import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestOf, digestOfFile } from '../../src/fs/digest.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('a digest depends on everything but the order of keys', () => {
  expect(digestOf({ a: 1, b: { c: [1, 2], d: null } })).toBe(digestOf({ b: { d: null, c: [1, 2] }, a: 1 }));
  const others = [{ a: 1 }, { a: 2 }, { a: '1' }, { b: 1 }, [1], [[1]], null, undefined, '', 0];
  expect(new Set(others.map(digestOf)).size).toBe(others.length);
});

it('a file’s digest is its sha256', async () => {
  const path = join(folder(), 'abc');
  await writeFile(path, 'abc');
  // FIPS 180-2, appendix B.1.
  expect(await digestOfFile(path)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

it('hashing stops when the signal is aborted', async () => {
  const path = join(folder(), 'abc');
  await writeFile(path, 'abc');
  await expect(digestOfFile(path, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});
