import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { importCommand } from '../../src/commands/import.js';
import { remapCommand } from '../../src/commands/remap.js';
import { openCheckpoint } from '../../src/safetensors/index.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const MODEL = 'builtin:tiny-llama';

it('import runs once per conversion folder, remap runs there, and a changed recipe is refused without --restart-from', async () => {
  const out = join(folder(), 'conversion');
  const first = await runCommand(importCommand, { model: MODEL, out }, { json: true });
  expect(first.error).toBeNull();
  const document = JSON.parse(first.stdout);
  expect(document).toMatchObject({ model: MODEL, revision: null, folder: join(out, 'source') });
  expect(document.files[0]).toMatchObject({
    size_bytes: expect.any(Number),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const second = await runCommand(importCommand, { model: MODEL, out }, { json: true });
  expect(second.stdout).toBe(first.stdout);
  expect(second.stderr).toContain('already there');

  const remap = (set: string[], more: object = {}) =>
    runCommand(remapCommand, { dir: out, set, ...more }, { json: true });
  const small = ['blt.hash_vocab=50', 'patcher.layers=1'];
  expect((await remap(small)).error).toBeNull();
  // Without --recipe and --set, the conversion's own recipe is used.
  expect((await remap([])).stderr).toContain('already there');
  expect((await remap(['seed=7'])).error).toMatchObject({
    message: expect.stringContaining('The recipe has changed since the stage "remap" began'),
    exitCode: 2,
  });
  expect((await remap([])).stderr).toContain('already there');
  expect((await remap(['seed=7'], { restartFrom: 'remap' })).error).toBeNull();
  expect(await readFile(join(out, 'recipe.yaml'), 'utf8')).toContain('seed: 7');
  const reader = await openCheckpoint(join(out, 'init'));
  expect(reader.tensors.get('model.encoder_hash_tok_embedding.weight')?.shape[0]).toBe(7 * 50);
  await reader.close();
});

it('import prints where the files are', async () => {
  const out = join(folder(), 'conversion');
  const { stdout } = await runCommand(importCommand, { model: MODEL, out });
  expect(stdout).toMatch(/^model\.safetensors +[\d.]+ MB {2}[0-9a-f]{64}$/m);
  expect(stdout.endsWith(`\n${join(out, 'source')}\n`)).toBe(true);
});

it('import leaves nothing behind if the model does not exist', async () => {
  const { error } = await runCommand(importCommand, { model: './nowhere', out: join(folder(), 'conversion') });
  expect(error).toMatchObject({ message: './nowhere does not exist.', exitCode: 2 });
  expect(await readdir(folder())).toEqual([]);
});
