import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
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

it('leaves no temporary file if the rename fails', async () => {
  const path = join(folder(), 'taken');
  await mkdir(path);
  await expect(writeFileAtomic(path, 'text')).rejects.toThrow();
  expect(await readdir(folder())).toEqual(['taken']);
});

it('replaces a folder only with a complete one', async () => {
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

it('removes folders, and ignores paths that do not exist', async () => {
  const path = join(folder(), 'out');
  await mkdir(join(path, 'deep'), { recursive: true });
  await removeAtomic(path);
  await removeAtomic(path);
  expect(await readdir(folder())).toEqual([]);
});

it('removes what a killed process left behind at any depth, and nothing else', async () => {
  const run = join(folder(), 'run');
  await mkdir(run);
  await writeFile(join(run, '.notes.tmp-1'), 'not ours');
  // Never ends: the state while it works is the state after the process is killed.
  void writeFolderAtomic(join(run, 'checkpoint-1'), () => new Promise(() => undefined));
  void writeFolderAtomic(join(folder(), 'init'), () => new Promise(() => undefined));
  await vi.waitFor(async () => expect(await readdir(folder(), { recursive: true })).toHaveLength(4));
  await sweepTemporary(folder());
  expect((await readdir(folder(), { recursive: true })).sort()).toEqual(['run', join('run', '.notes.tmp-1')]);
});

it('removes nothing behind a link, and ends in a loop of links', async () => {
  const [out, elsewhere] = [join(folder(), 'out'), join(folder(), 'elsewhere')];
  await mkdir(out);
  await mkdir(join(elsewhere, 'deep'), { recursive: true });
  const name = '.notes.tmp-123-0a1b2c3d';
  for (const path of [join(elsewhere, name), join(elsewhere, 'deep', name), join(out, name)])
    await writeFile(path, 'x');
  await symlink(elsewhere, join(out, 'linked'));
  await symlink('.', join(out, 'loop'));
  await symlink(elsewhere, join(out, '.linked.tmp-123-0a1b2c3d'));
  await sweepTemporary(out);
  expect((await readdir(out)).sort()).toEqual(['linked', 'loop']);
  expect((await readdir(elsewhere)).sort()).toEqual([name, 'deep']);
  expect(await readdir(join(elsewhere, 'deep'))).toEqual([name]);
});

it('stops the removal when the signal is aborted', async () => {
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(sweepTemporary(folder(), { signal })).rejects.toThrow('stopped');
});

it('removes a link but not its target', async () => {
  await mkdir(join(folder(), 'kept'));
  await writeFile(join(folder(), 'kept/file'), '');
  await symlink('kept', join(folder(), 'link'));
  await removeAtomic(join(folder(), 'link'));
  expect(await readdir(folder(), { recursive: true })).toEqual(['kept', join('kept', 'file')]);
});

it('names the target path, not the temporary one, in every error', async () => {
  const path = join(folder(), 'out');
  const inside = writeFolderAtomic(path, (temporary) => readFile(join(temporary, 'absent')));
  await expect(inside).rejects.toMatchObject({ path: join(path, 'absent') });
  // Like the error of an open file, which has no path.
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  await expect(writeFolderAtomic(path, () => Promise.reject(full))).rejects.toMatchObject({ path });
  await expect(writeFileAtomic(join(folder(), 'none/file'), '')).rejects.toMatchObject({
    path: join(folder(), 'none/file'),
  });
  await mkdir(path);
  await expect(writeFileAtomic(path, '')).rejects.toMatchObject({ path });
  await rm(path, { recursive: true });
});
