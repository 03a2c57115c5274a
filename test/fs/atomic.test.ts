import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { removeAtomic, sweepTemporary, writeFileAtomic, writeFolderAtomic } from '../../src/fs/atomic.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('replaces a file and leaves nothing else', async () => {
  const path = join(folder(), 'a.json');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, 'two');
  expect(await readFile(path, 'utf8')).toBe('two');
  expect(await readdir(folder())).toEqual(['a.json']);
});

it('leaves no temporary file when the name cannot be taken', async () => {
  const path = join(folder(), 'taken');
  await mkdir(path);
  await expect(writeFileAtomic(path, 'text')).rejects.toThrow();
  expect(await readdir(folder())).toEqual(['taken']);
});

it('replaces a folder only when it is whole', async () => {
  const path = join(folder(), 'out');
  await writeFolderAtomic(path, (inside) => writeFile(join(inside, 'first'), ''));
  const failed = writeFolderAtomic(path, async (inside) => {
    await writeFile(join(inside, 'second'), '');
    throw new Error('half-way');
  });
  await expect(failed).rejects.toThrow('half-way');
  expect(await readdir(path)).toEqual(['first']);
  expect(await writeFolderAtomic(path, async (inside) => writeFile(join(inside, 'third'), '').then(() => 3))).toBe(3);
  expect(await readdir(path)).toEqual(['third']);
  expect(await readdir(folder())).toEqual(['out']);
});

it('removes folders, and what is not there', async () => {
  const path = join(folder(), 'out');
  await mkdir(join(path, 'deep'), { recursive: true });
  await removeAtomic(path);
  await removeAtomic(path);
  expect(await readdir(folder())).toEqual([]);
});

it('sweeps what a killed process left at any depth, and nothing else', async () => {
  const run = join(folder(), 'run');
  await mkdir(run);
  await writeFile(join(run, '.notes.tmp-1'), 'not ours');
  // Never ends: what is there while it works is what is left when the process is killed.
  void writeFolderAtomic(join(run, 'checkpoint-1'), () => new Promise(() => undefined));
  void writeFolderAtomic(join(folder(), 'init'), () => new Promise(() => undefined));
  await vi.waitFor(async () => expect(await readdir(folder(), { recursive: true })).toHaveLength(4));
  await sweepTemporary(folder());
  expect((await readdir(folder(), { recursive: true })).sort()).toEqual(['run', join('run', '.notes.tmp-1')]);
});
