import { cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  openCheckpoint,
  overlayOf,
  type TensorInfo,
  writeCheckpoint,
  writePartialCheckpoint,
} from '../../src/safetensors/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { filled, refusal } from './samples.js';

const root = temporaryFolder();
const info = (name: string): TensorInfo => ({ name, dtype: 'F32', shape: [name.length] });
const NAMES = ['one', 'two', 'three', 'four'];
const at = (...parts: string[]) => join(root(), ...parts);

/** A model of four tensors in `init`; a checkpoint in `run/stage-0` trained one of them, and one in `run` another. */
async function write(path: string, base: string, trained: string): Promise<void> {
  const start = await openCheckpoint(base);
  await mkdir(path, { recursive: true });
  const rest = overlayOf({ untrained: NAMES.filter((name) => name !== trained), start, root: root() });
  const bytes = () => new Uint8Array(4 * trained.length).fill(trained.length);
  await writePartialCheckpoint({ folder: path, path, tensors: [info(trained)], source: bytes, rest });
  await start.close();
}

beforeEach(async () => {
  await mkdir(at('init'));
  await writeCheckpoint(at('init'), [...NAMES, 'another'].map(info), filled);
  await write(at('run/stage-0/checkpoint-1'), at('init'), 'two');
  await write(at('run/checkpoint-1'), at('run/stage-0/checkpoint-1'), 'three');
});

describe('a checkpoint that contains only what was trained', () => {
  it('is read as a whole: each tensor from where it was last written, and no others', async () => {
    const reader = await openCheckpoint(at('run/checkpoint-1'));
    expect([...reader.tensors.keys()].sort()).toEqual([...NAMES].sort());
    expect(await reader.read('three')).toEqual(new Uint8Array(20).fill(5));
    expect(await reader.read('two', { offset: 4, length: 4 })).toEqual(new Uint8Array(4).fill(3));
    expect(await reader.read('one')).toEqual(filled(info('one')));
    expect(NAMES.map((name) => reader.folderOf!(name))).toEqual([
      at('init'),
      at('run/stage-0/checkpoint-1'),
      at('run/checkpoint-1'),
      at('init'),
    ]);
    await expect(reader.read('another')).rejects.toThrow('lacks the tensor "another"');
    await reader.close();
  });

  it('contains no file that a reader without overlays mistakes for a model', async () => {
    expect((await readdir(at('run/checkpoint-1'))).sort()).toEqual(['overlay.json', 'trained.safetensors']);
  });

  it('can be moved with its whole conversion, but not alone', async () => {
    await mkdir(at('moved'));
    for (const name of ['init', 'run']) await rename(at(name), at('moved', name));
    const reader = await openCheckpoint(at('moved/run/checkpoint-1'));
    expect(await reader.read('one')).toEqual(filled(info('one')));
    await reader.close();
    await cp(at('moved/run/checkpoint-1'), at('elsewhere/deep/checkpoint-1'), { recursive: true });
    expect(await refusal(openCheckpoint(at('elsewhere/deep/checkpoint-1')))).toMatch(/which no longer exists/);
  });

  it('is refused with the name of what is missing elsewhere', async () => {
    await rm(at('run/stage-0'), { recursive: true });
    expect(await refusal(openCheckpoint(at('run/checkpoint-1')))).toBe(
      `${at('run/checkpoint-1')} reads tensors from ${at('run/stage-0/checkpoint-1')}, which no longer exists.`,
    );
    await write(at('run/stage-0/checkpoint-1'), at('init'), 'one');
    expect(await refusal(openCheckpoint(at('run/checkpoint-1')))).toMatch(
      /reads "two" from .*stage-0.*, which lacks it/,
    );
  });

  it('is refused if its own weights or its overlay are truncated', async () => {
    const path = at('run/checkpoint-1');
    await truncate(join(path, 'trained.safetensors'), 30);
    expect(await refusal(openCheckpoint(path))).toMatch(/trained\.safetensors is not a valid safetensors file/);
    const overlay = join(path, 'overlay.json');
    await write(path, at('run/stage-0/checkpoint-1'), 'three');
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '{"format":2,"tensors_in":{}}',
      '{"format":1,"tensors_in":{"/etc":["one"]}}',
    ]) {
      await writeFile(overlay, text);
      expect(await refusal(openCheckpoint(path)), text).toContain(
        `${overlay} does not say where the other tensors are`,
      );
    }
  });

  it('is refused if it names itself, or two name each other', async () => {
    const overlay = at('run/checkpoint-1/overlay.json');
    const own = { format: 1, tensors_in: { '../checkpoint-1': ['three'] } };
    await writeFile(overlay, JSON.stringify(own));
    await (await openCheckpoint(at('run/checkpoint-1'))).close();
    await writeFile(overlay, JSON.stringify({ format: 1, tensors_in: { '../stage-0/checkpoint-1': ['one'] } }));
    expect(await refusal(openCheckpoint(at('run/checkpoint-1')))).toMatch(/reads "one" from/);
  });
});

describe('a tensor that need not be written', () => {
  it('is one stored below the root, since other places may disappear', async () => {
    const start = await openCheckpoint(at('run/checkpoint-1'));
    const untrained = ['one', 'two', 'four'];
    const everything = overlayOf({ untrained, start, root: root() });
    expect([...everything]).toEqual([
      [at('init'), ['one', 'four']],
      [at('run/stage-0/checkpoint-1'), ['two']],
    ]);
    expect([...overlayOf({ untrained, start, root: at('run') }).keys()]).toEqual([at('run/stage-0/checkpoint-1')]);
    expect(overlayOf({ untrained, start, root: at('ru') }).size).toBe(0);
    expect(overlayOf({ untrained, start: { ...start, folderOf: () => null }, root: root() }).size).toBe(0);
    await start.close();
  });

  it('is named by a path relative to the checkpoint', async () => {
    const { tensors_in: places } = JSON.parse(await readFile(at('run/checkpoint-1/overlay.json'), 'utf8'));
    expect(Object.keys(places).sort()).toEqual(['../../init', '../stage-0/checkpoint-1']);
  });
});
