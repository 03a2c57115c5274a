import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LOCK_NAME, lockFolder } from '../../src/fs/lock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const lock = (owner: unknown) => writeFile(join(folder(), LOCK_NAME), JSON.stringify(owner));

it('a lock keeps a second process out until it is released', async () => {
  const release = await lockFolder(folder());
  await expect(lockFolder(folder())).rejects.toThrow(`Process ${process.pid} is working in ${folder()}.`);
  await release();
  expect(await readdir(folder())).toEqual([]);
  await (await lockFolder(folder()))();
});

it('a lock is given to exactly one of many', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder())));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

it('a lock is taken over from a process that no longer runs', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  await lock({ pid: child.pid, host: hostname(), startTicks: null, id: 'x' });
  const release = await lockFolder(folder());
  expect(JSON.parse(await readFile(join(folder(), LOCK_NAME), 'utf8'))).toMatchObject({ pid: process.pid });
  await release();
});

it.runIf(process.platform === 'linux')('a lock is taken over if its pid now belongs to another process', async () => {
  await lock({ pid: process.pid, host: hostname(), startTicks: '1', id: 'x' });
  await (await lockFolder(folder()))();
});

it('an unreadable lock is taken over', async () => {
  await writeFile(join(folder(), LOCK_NAME), '');
  await (await lockFolder(folder()))();
});

it('a process on another machine counts as alive', async () => {
  await lock({ pid: 1, host: 'elsewhere', startTicks: null, id: 'x' });
  await expect(lockFolder(folder())).rejects.toMatchObject({
    message: `Process 1 on elsewhere is working in ${folder()}.`,
    hint: expect.stringContaining(`delete ${join(folder(), LOCK_NAME)}`),
  });
});

it("does not give back another's lock", async () => {
  const release = await lockFolder(folder());
  await lock({ pid: 1, host: 'elsewhere', startTicks: null, id: 'x' });
  await release();
  expect(await readdir(folder())).toEqual([LOCK_NAME]);
});

it('an owner that is still writing the lock is waited for', async () => {
  await writeFile(join(folder(), LOCK_NAME), '');
  setTimeout(() => void lock({ pid: 1, host: 'elsewhere', startTicks: null, id: 'x' }), 100);
  await expect(lockFolder(folder())).rejects.toThrow('Process 1 on elsewhere');
});

it('a lock that cannot be written leaves nothing behind, and the error names the folder', async () => {
  await expect(lockFolder(join(folder(), 'none'))).rejects.toThrow(`${join(folder(), 'none')} does not exist.`);
  await writeFile(join(folder(), 'file'), '');
  await expect(lockFolder(join(folder(), 'file'))).rejects.toThrow('is a file where a folder is needed');
  expect(await readdir(folder())).toEqual(['file']);
});

it('locking creates no other file, so a killed process leaves only the lock', async () => {
  const release = await lockFolder(folder());
  expect(await readdir(folder())).toEqual([LOCK_NAME]);
  await release();
});

it('a lock that is a folder or a dangling link is reported', async () => {
  await mkdir(join(folder(), 'a', LOCK_NAME), { recursive: true });
  await expect(lockFolder(join(folder(), 'a'))).rejects.toMatchObject({ code: 'EISDIR' });
  await mkdir(join(folder(), 'b'));
  await symlink('nowhere', join(folder(), 'b', LOCK_NAME));
  await expect(lockFolder(join(folder(), 'b'))).rejects.toThrow('is a link to nowhere, which does not exist');
});
