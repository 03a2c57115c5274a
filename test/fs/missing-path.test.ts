import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { missingPath } from '../../src/fs/missing-path.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('a missing path is wrong usage, with the given hint', () => {
  expect(missingPath(join(folder(), 'none'), 'Look.')).toMatchObject({
    message: `${join(folder(), 'none')} does not exist.`,
    hint: 'Look.',
    exitCode: 2,
  });
});

it('a dangling link is named, even as a parent folder', async () => {
  await symlink('/nowhere', join(folder(), 'link'));
  for (const path of [join(folder(), 'link'), join(folder(), 'link', 'model')])
    expect(missingPath(path, '').message).toBe(
      `${path} cannot be found: ${join(folder(), 'link')} is a link to /nowhere, which does not exist.`,
    );
});
