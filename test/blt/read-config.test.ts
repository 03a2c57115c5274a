import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readBltConfig } from '../../src/blt/index.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('reads the config of a folder', async () => {
  expect(await readBltConfig(goldenPath('plain/blt'))).toMatchObject({ vocabSize: 260 });
});

it('refuses a folder without one, and one that is not JSON', async () => {
  await expect(readBltConfig(folder())).rejects.toMatchObject({
    exitCode: 2,
    message: `${folder()} contains no config.json.`,
  });
  await writeFile(join(folder(), 'config.json'), '{"vocab_size": 260');
  await expect(readBltConfig(folder())).rejects.toThrow('config.json is not JSON: it is truncated.');
});
