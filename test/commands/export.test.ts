import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { exportCommand } from '../../src/commands/export.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const selfCheck = vi.hoisted(() => vi.fn());
vi.mock('../../src/evaluate/index.js', () => ({ selfCheck }));
vi.mock('../../src/engine/index.js', () => ({ startEngine: async () => undefined }));

const blt = fileURLToPath(new URL('../fixtures/golden/plain/blt', import.meta.url));
const folder = temporaryFolder();

const exported = () =>
  runCommand(exportCommand, {
    dir: blt,
    out: join(folder(), 'out'),
    language: [],
    dataSource: [],
    backend: 'tfjs-node-gpu',
  });

it('export --out leaves nothing when the export does not compute what its checkpoint does', async () => {
  selfCheck.mockRejectedValueOnce(new Error('a logit differs'));
  expect((await exported()).error).toMatchObject({ message: 'a logit differs' });
  expect(await readdir(folder())).toEqual([]);
  selfCheck.mockResolvedValueOnce({ maxLogitDifference: 0, positions: 1 });
  expect((await exported()).error).toBeNull();
  expect(await readdir(folder())).toEqual(['out']);
});
