import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../../src/fs/make-folder.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('creates missing folders, and says whether any was missing', async () => {
  expect(await makeFolder(join(folder(), 'a/b/c'))).toBe(true);
  expect(await makeFolder(join(folder(), 'a/b/c'))).toBe(false);
  await symlink('a', join(folder(), 'link'));
  expect(await makeFolder(join(folder(), 'link'))).toBe(false);
  const many = await Promise.all(Array.from({ length: 8 }, () => makeFolder(join(folder(), 'x/y/z'))));
  expect(many.filter(Boolean)).toHaveLength(1);
});

it('fails with the reason and the name of the folder', async () => {
  await writeFile(join(folder(), 'file'), '');
  await expect(makeFolder(join(folder(), 'file'))).rejects.toMatchObject({
    code: 'EEXIST',
    path: join(folder(), 'file'),
  });
  await expect(makeFolder(join(folder(), 'file/a/b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  await symlink('nowhere', join(folder(), 'link'));
  await expect(makeFolder(join(folder(), 'link'))).rejects.toMatchObject({ code: 'EEXIST' });
  await mkdir(join(folder(), 'deep'));
  // A file system of the kernel, on which nothing can be created.
  if (process.platform === 'linux')
    await expect(makeFolder('/proc/byteify/a')).rejects.toMatchObject({ path: '/proc/byteify' });
});
