import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { walk } from '../../src/fs/walk.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

async function walked(options: Parameters<typeof walk>[1] = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, kind } of walk(folder(), options)) found.push(`${kind} ${path}`);
  return found;
}

async function tree(): Promise<void> {
  await mkdir(join(folder(), 'b/deep'), { recursive: true });
  await writeFile(join(folder(), 'b/deep/file'), '');
  await writeFile(join(folder(), 'a'), '');
  await symlink('..', join(folder(), 'b/up'));
  await symlink('/', join(folder(), 'c'));
}

it('a walk yields everything once and enters no link, so that a loop ends', async () => {
  await tree();
  expect(await walked()).toEqual(['file a', 'folder b', 'link c', 'folder b/deep', 'link b/up', 'file b/deep/file']);
});

it('a walk skips the folders that it is told to skip', async () => {
  await tree();
  expect(await walked({ enter: (path) => path !== 'b/deep' })).toEqual([
    'file a',
    'folder b',
    'link c',
    'folder b/deep',
    'link b/up',
  ]);
});

it('a walk stops at the next folder when the signal is aborted', async () => {
  await tree();
  const controller = new AbortController();
  const entries = walk(folder(), { signal: controller.signal });
  await entries.next();
  controller.abort(new Error('enough'));
  const rest = async () => {
    for await (const _ of entries);
  };
  await expect(rest()).rejects.toThrow('enough');
});
