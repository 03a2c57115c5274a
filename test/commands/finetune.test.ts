import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const folder = temporaryFolder();

describe('byteify finetune', () => {
  it('requires --out for a plain checkpoint', async () => {
    expect(await commandLine('finetune', BLT)).toMatchObject(wrongUsage('--out'));
    expect(await commandLine('finetune')).toMatchObject(wrongUsage('dir'));
  });

  it.each([
    ['a recipe that is not there', ['--recipe', 'missing'], 'missing'],
    ['a stage that is none', ['--restart-from', 'lunch'], '--restart-from'],
    ['no text', [], '--data'],
  ])('refuses %s, and leaves nothing behind', async (_what, args, named) => {
    const out = join(folder(), 'out');
    expect(await commandLine('finetune', BLT, '--out', out, ...args)).toMatchObject(wrongUsage(named));
    expect((await readdir(folder(), { recursive: true })).filter((name) => /safetensors|lock/.test(name))).toEqual([]);
  });
});
