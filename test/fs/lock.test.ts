import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
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
