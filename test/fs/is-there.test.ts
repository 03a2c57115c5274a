import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isThere } from '../../src/fs/is-there.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('files, folders and links exist, even dangling ones, and other names do not', async () => {
  await writeFile(join(folder(), 'file'), '');
  await mkdir(join(folder(), 'dir'));
  await symlink('nowhere', join(folder(), 'link'));
  await symlink('loop', join(folder(), 'loop'));
  for (const name of ['file', 'dir', 'link', 'loop']) expect(isThere(join(folder(), name)), name).toBe(true);
  expect(isThere(join(folder(), 'none'))).toBe(false);
});
