import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hugePageEnvironment, hugePageMode, neededDescriptors } from '../../src/engine/huge-pages.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

describe('large pages', () => {
  it.each(['always', 'madvise', 'never'] as const)('are given as Linux says: %s', (mode) => {
    const path = join(folder(), 'enabled');
    writeFileSync(path, ['always', 'madvise', 'never'].map((word) => (word === mode ? `[${word}]` : word)).join(' '));
    expect(hugePageMode(path)).toBe(mode);
  });

  it('are unknown where Linux does not say', () => {
    const path = join(folder(), 'enabled');
    expect(hugePageMode(path)).toBeNull();
    writeFileSync(path, 'something else');
    expect(hugePageMode(path)).toBeNull();
  });

  it('are asked for where Linux gives them to programs that ask', () => {
    expect(hugePageEnvironment({ HOME: '/home/me', EMPTY: undefined }, 'madvise')).toEqual({
      HOME: '/home/me',
      GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
    });
    for (const mode of ['always', 'never', null] as const) expect(hugePageEnvironment({}, mode)).toBeNull();
  });

  it('are asked for beside what the user sets, and never against it', () => {
    expect(hugePageEnvironment({ GLIBC_TUNABLES: 'glibc.malloc.check=3' }, 'madvise')).toEqual({
      GLIBC_TUNABLES: 'glibc.malloc.check=3:glibc.malloc.hugetlb=1',
    });
    for (const choice of ['0', '1', '2']) {
      expect(hugePageEnvironment({ GLIBC_TUNABLES: `glibc.malloc.hugetlb=${choice}` }, 'madvise')).toBeNull();
    }
  });

  it('are asked for by a program that keeps the files its arguments name', () => {
    expect(neededDescriptors(['node', 'cli.js', 'patch', 'model', 'text.txt'])).toEqual([0, 1, 2]);
    expect(neededDescriptors(['--data', '/dev/fd/63', '--text=/proc/self/fd/7', 'a/dev/fdx'])).toEqual([
      0, 1, 2, 63, 7,
    ]);
  });
});
