import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { resolveCheckpoint } from '../../src/conversion/resolve-checkpoint.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

async function place(...path: string[]): Promise<string> {
  const at = join(folder(), ...path);
  await mkdir(at, { recursive: true });
  await writeFile(join(at, 'config.json'), '{"model_type":"blt"}');
  return at;
}

it('a conversion resolves to its export, else its newest checkpoint by number, else the remapped model', async () => {
  await writeFile(join(folder(), 'byteify.json'), '{}');
  await expect(resolveCheckpoint(folder())).rejects.toThrow('has no checkpoint yet');
  const init = await place('init');
  expect(await resolveCheckpoint(folder())).toEqual({ folder: init, modelType: 'blt', origin: 'init' });
  await place('run', 'stage-0', 'checkpoint-5000');
  const stage = await place('run', 'stage-1', 'checkpoint-3');
  expect(await resolveCheckpoint(folder())).toMatchObject({ folder: stage, origin: 'run' });
  await mkdir(join(folder(), 'run', 'stage-2'));
  expect(await resolveCheckpoint(folder())).toMatchObject({ folder: stage, origin: 'run' });
  await place('run', 'checkpoint-9');
  const run = await place('run', 'checkpoint-100');
  await mkdir(join(folder(), 'run', '.checkpoint-200.tmp'));
  expect(await resolveCheckpoint(folder())).toMatchObject({ folder: run, origin: 'run' });
  const blt = await place('blt');
  expect(await resolveCheckpoint(folder())).toMatchObject({ folder: blt, origin: 'export' });
  expect(await resolveCheckpoint(folder(), { prefer: ['run', 'init'] })).toMatchObject({ folder: run });
  await rm(join(folder(), 'run'), { recursive: true });
  expect(await resolveCheckpoint(folder(), { prefer: ['run', 'init'] })).toMatchObject({ folder: init });
});

it('a plain checkpoint folder resolves to itself', async () => {
  await place();
  expect(await resolveCheckpoint(folder())).toEqual({ folder: folder(), modelType: 'blt', origin: 'plain' });
});

it('an error says what is missing', async () => {
  await expect(resolveCheckpoint(join(folder(), 'nowhere'))).rejects.toThrow('nowhere does not exist.');
  await expect(resolveCheckpoint(folder())).rejects.toThrow('contains no byteify.json and no config.json.');
  await writeFile(join(folder(), 'config.json'), '{');
  await expect(resolveCheckpoint(folder())).rejects.toThrow('config.json is not JSON: it is truncated.');
  await writeFile(join(folder(), 'config.json'), 'null');
  await expect(resolveCheckpoint(folder())).rejects.toThrow('config.json is not a JSON object.');
  await writeFile(join(folder(), 'config.json'), '{}');
  await expect(resolveCheckpoint(folder())).rejects.toThrow('has no model_type.');
});
