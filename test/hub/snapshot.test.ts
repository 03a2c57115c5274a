import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { snapshotFault } from '../../src/hub/snapshot.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const file = (path: string, sizeBytes: number) => ({ path, sizeBytes, oid: '', sha256: null, xetHash: null });

it('a snapshot is complete if every file has its size, linked or not', async () => {
  await writeFile(join(folder(), 'blob'), '1234');
  await symlink('blob', join(folder(), 'a.json'));
  await writeFile(join(folder(), 'b.json'), '12');
  expect(await snapshotFault(folder(), [file('a.json', 4), file('b.json', 2)])).toBeNull();
});

it('the first fault is reported', async () => {
  await writeFile(join(folder(), 'a.json'), '1234');
  await symlink('nowhere', join(folder(), 'link.json'));
  await mkdir(join(folder(), 'dir.json'));
  const whole = file('a.json', 4);
  expect(await snapshotFault(folder(), [whole, file('none.json', 1), whole])).toBe('none.json is missing');
  expect(await snapshotFault(folder(), [file('a.json', 5)])).toBe('a.json has 4 bytes instead of 5');
  expect(await snapshotFault(folder(), [file('link.json', 4)])).toBe('link.json is a dangling link');
  expect(await snapshotFault(folder(), [file('dir.json', 4)])).toBe('dir.json is not a file');
  expect(await snapshotFault(folder(), [file('a.json/x', 4)])).toBe('a.json/x is missing');
  expect(await snapshotFault(join(folder(), 'none'), [whole])).toBe('a.json is missing');
});
