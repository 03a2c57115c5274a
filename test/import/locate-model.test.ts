import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { locateModel } from '../../src/import/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TINY } from './samples.js';

const folder = temporaryFolder();
afterEach(() => {
  vi.unstubAllEnvs();
});

/** None of these paths may cause a request. */
const noHub = () => vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1');

it('finds folders and GGUF files, also by relative paths', async () => {
  const gguf = join(folder(), 'Model.GGUF');
  await writeFile(gguf, '');
  expect(await locateModel(folder())).toEqual({ kind: 'folder', path: folder(), revision: null });
  expect(await locateModel(relative(process.cwd(), gguf))).toEqual({ kind: 'gguf', path: gguf, revision: null });
});

it('finds the embedded model of the package', async () => {
  expect(await locateModel('builtin:tiny-llama')).toEqual({ kind: 'folder', path: TINY, revision: null });
});

it('prefers an existing path to a hub id of the same name', async () => {
  noHub();
  const before = process.cwd();
  await mkdir(join(folder(), 'org', 'name'), { recursive: true });
  // vitest's workers are processes here, so each has its own working directory.
  process.chdir(folder());
  try {
    expect(await locateModel('org/name')).toMatchObject({ kind: 'folder', path: join(process.cwd(), 'org', 'name') });
  } finally {
    process.chdir(before);
  }
});

it.each(['./org/name', '../x/y', '/none/such', '~/model', 'models/x.gguf', 'org/name/'])(
  'does not look up %s on the hub',
  async (model) => {
    noHub();
    const failing = locateModel(model);
    await expect(failing).rejects.toThrow(`${model} does not exist.`);
    await expect(failing).rejects.toMatchObject({ exitCode: 2, hint: expect.stringContaining('org/name') });
  },
);

it.each(['llama', 'a/b/c', 'org/name@', 'builtin:other'])(
  'refuses %s, which is neither a path nor an id',
  async (model) => {
    noHub();
    await expect(locateModel(model)).rejects.toMatchObject({ name: 'UsageError', exitCode: 2 });
  },
);

it.each(['link', './link', 'org/name'])('names the dangling link on the way to %s', async (model) => {
  noHub();
  const before = process.cwd();
  process.chdir(folder());
  try {
    await symlink('/nowhere', model.split('/').find((part) => part !== '.')!);
    const failing = locateModel(model);
    await expect(failing).rejects.toThrow(/is a link to \/nowhere, which does not exist/);
    await expect(failing).rejects.toMatchObject({ exitCode: 2 });
  } finally {
    process.chdir(before);
  }
});

it('refuses a file that is not GGUF', async () => {
  const path = join(folder(), 'model.safetensors');
  await writeFile(path, '');
  await expect(locateModel(path)).rejects.toThrow(`${path} is a file, but not a .gguf file.`);
});
