import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { licenseOf } from '../../src/import/license.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it.each([
  ['---\nlicense: apache-2.0\n---\n', 'apache-2.0'],
  ['---\r\nlanguage: en\r\nlicense: llama3.2\r\n---\r\n# Title', 'llama3.2'],
  ['---\nlicense: other\nlicense_name: house-terms\n---\n', 'house-terms'],
  ['---\nlicense: other\n---\n', 'other'],
  ['---\nlicense: [mit, apache-2.0]\n---\n', null],
  ['---\nlanguage: en\n---\nlicense: mit\n', null],
  ['---\n---\n', null],
  ['---\n: [\n---\n', null],
  ['---\nlicense: mit\ntitle: *Great*\n---\n', null],
  ['license: mit', null],
  ['', null],
])('the licence in the card %j is %j', async (card, license) => {
  await writeFile(join(folder(), 'README.md'), card);
  expect(await licenseOf(folder())).toBe(license);
});

it('the licence of a folder without a card is unknown', async () => {
  expect(await licenseOf(folder())).toBeNull();
});
