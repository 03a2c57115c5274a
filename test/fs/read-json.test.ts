import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readJson, readJsonIfThere } from '../../src/fs/read-json.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const path = () => join(folder(), 'state.json');
const file = { schema: z.strictObject({ step: z.int() }), what: 'the state of a run', hint: 'Remove it.' };

it('valid JSON of the expected shape is returned', async () => {
  await writeFile(path(), '{ "step": 3 }\n');
  expect(await readJson(path(), file)).toEqual({ step: 3 });
});

it.each([
  ['', 'is empty.'],
  [' \n', 'is empty.'],
  ['{"step": 3', 'is not JSON: it is truncated.'],
  ['null', 'is not the state of a run: top level: '],
  ['{"step": "3"}', 'is not the state of a run: step: '],
  ['{"step": 3, "other": 1}', 'is not the state of a run: top level: '],
])('%j is refused with the reason and the hint', async (text, reason) => {
  await writeFile(path(), text);
  const error = await readJson(path(), file).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ message: expect.stringContaining(`${path()} ${reason}`), hint: 'Remove it.' });
});

it('a missing file is distinguished from a folder and a dangling link', async () => {
  expect(await readJsonIfThere(path(), file)).toBeNull();
  await expect(readJson(path(), file)).rejects.toThrow(`${path()} is missing.`);
  await mkdir(path());
  await expect(readJsonIfThere(path(), file)).rejects.toThrow(`${path()} is a folder where a file is needed.`);
  await symlink('nowhere', join(folder(), 'link'));
  await expect(readJsonIfThere(join(folder(), 'link'), file)).rejects.toThrow('is a link to nowhere');
});
