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

it('keeps a second one out until it is given back', async () => {
  const release = await lockFolder(folder());
  await expect(lockFolder(folder())).rejects.toThrow(`Process ${process.pid} is working in ${folder()}.`);
  await release();
  expect(await readdir(folder())).toEqual([]);
  await (await lockFolder(folder()))();
});

it('lets exactly one of many in', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder())));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

it('takes over from a process that is gone', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  await lock({ pid: child.pid, host: hostname(), startTicks: null, id: 'x' });
  const release = await lockFolder(folder());
  expect(JSON.parse(await readFile(join(folder(), LOCK_NAME), 'utf8'))).toMatchObject({ pid: process.pid });
  await release();
});

it.runIf(process.platform === 'linux')('takes over when the number belongs to another process by now', async () => {
  await lock({ pid: process.pid, host: hostname(), startTicks: '1', id: 'x' });
  await (await lockFolder(folder()))();
});

it('takes over a lock that is not readable as one', async () => {
  await writeFile(join(folder(), LOCK_NAME), '');
  await (await lockFolder(folder()))();
});

it('does not judge a process on another machine', async () => {
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

it('waits for an owner that is about to write its name', async () => {
  await writeFile(join(folder(), LOCK_NAME), '');
  setTimeout(() => void lock({ pid: 1, host: 'elsewhere', startTicks: null, id: 'x' }), 100);
  await expect(lockFolder(folder())).rejects.toThrow('Process 1 on elsewhere');
});

it('leaves nothing when the lock cannot be written, and names the folder', async () => {
  await expect(lockFolder(join(folder(), 'none'))).rejects.toThrow(`${join(folder(), 'none')} does not exist.`);
  await writeFile(join(folder(), 'file'), '');
  await expect(lockFolder(join(folder(), 'file'))).rejects.toThrow('is a file where a folder is needed');
  expect(await readdir(folder())).toEqual(['file']);
});

it('needs no other name: what a killed process leaves is the lock itself', async () => {
  const release = await lockFolder(folder());
  expect(await readdir(folder())).toEqual([LOCK_NAME]);
  await release();
});

it('says what is wrong with a lock that is a folder or leads nowhere', async () => {
  await mkdir(join(folder(), 'a', LOCK_NAME), { recursive: true });
  await expect(lockFolder(join(folder(), 'a'))).rejects.toMatchObject({ code: 'EISDIR' });
  await mkdir(join(folder(), 'b'));
  await symlink('nowhere', join(folder(), 'b', LOCK_NAME));
  await expect(lockFolder(join(folder(), 'b'))).rejects.toThrow('is a link to nowhere, which does not exist');
});
