import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configDigest, readBltConfig } from '../../src/blt/index.js';
import { findTorchCheckpoint, openTorchCheckpoint } from '../../src/import/index.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const golden = goldenPath('plain/blt');

async function checkpoint(path: string, change: object = {}): Promise<string> {
  await cp(golden, path, { recursive: true });
  const config_sha256 = configDigest(await readBltConfig(golden));
  const versions = { format: 1, script: 1, byteify: '0.1.0', torch: '2', transformers: '5' };
  const record = { ...versions, config_sha256, data_sha256: 'd', step: 4, bytes: 99, packer: {}, ...change };
  await writeFile(join(path, 'training.json'), JSON.stringify(record));
  return path;
}

const opened = (path: string) =>
  openTorchCheckpoint(path, { signal: new AbortController().signal, onProgress: () => {} });

describe('a checkpoint from PyTorch', () => {
  it('is found in its run and in its hand-over: the newest that is complete', async () => {
    const hand = join(folder(), 'hand');
    await mkdir(hand);
    expect(await findTorchCheckpoint(hand)).toBeNull();
    for (const name of ['train.json', 'train.py']) await writeFile(join(hand, name), '');
    await expect(findTorchCheckpoint(hand)).rejects.toThrow(`${hand} has no finished checkpoint.`);
    for (const step of [9, 10]) await checkpoint(join(hand, 'run', `checkpoint-0000${step}`));
    await mkdir(join(hand, 'run', 'checkpoint-000011'));
    await mkdir(join(hand, 'run', '.checkpoint-000012.tmp'));
    const newest = join(hand, 'run', 'checkpoint-000010');
    expect(await findTorchCheckpoint(hand)).toBe(newest);
    expect(await findTorchCheckpoint(join(hand, 'run'))).toBe(newest);
    expect(await findTorchCheckpoint(newest)).toBe(newest);
    expect(await findTorchCheckpoint(golden)).toBeNull();
    expect((await opened(newest)).record).toMatchObject({ step: 4, bytes: 99 });
  });

  it('is refused with another config', async () => {
    const path = await checkpoint(join(folder(), 'c'), { config_sha256: 'other' });
    await expect(opened(path)).rejects.toThrow('is not the config of the model that was handed over');
  });

  it('is refused without its weights, or with a damaged record', async () => {
    const path = await checkpoint(join(folder(), 'c'));
    await rm(join(path, 'model.safetensors'));
    await expect(opened(path)).rejects.toThrow('model.safetensors');
    const other = await checkpoint(join(folder(), 'd'), { step: 'many' });
    await expect(opened(other)).rejects.toThrow('is not the record of a training in PyTorch: step');
  });

  it.each([
    ['NaN', Number.NaN],
    ['an infinity', Number.NEGATIVE_INFINITY],
  ])('is refused with %s among its weights', async (_name, value) => {
    const path = await checkpoint(join(folder(), 'c'));
    const file = join(path, 'model.safetensors');
    const bytes = await readFile(file);
    bytes.writeFloatLE(value, bytes.length - 4);
    await writeFile(file, bytes);
    await expect(opened(path)).rejects.toThrow(/^".+" in .+ contains numbers that are not finite\.$/);
  });
});
