import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { measuredGflops } from '../../src/plan/measured-gflops.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it.each([
  ['{"gflops": 141.5}', 141.5],
  ['{"gflops": 0}', null],
  ['{"gflops": "fast"}', null],
  ['{}', null],
  ['{', null],
])('reads %s as %s', async (text, gflops) => {
  const env = { BYTEIFY_HOME: folder() };
  expect(measuredGflops(env)).toBeNull();
  await mkdir(join(folder(), 'engine'));
  await writeFile(join(folder(), 'engine', 'self-test.json'), text);
  expect(measuredGflops(env)).toBe(gflops);
});
