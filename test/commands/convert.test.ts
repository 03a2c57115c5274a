import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const LLAMA = goldenPath('plain/llama');
const folder = temporaryFolder();
const convert = (...args: string[]) => commandLine('convert', ...args, '--out', join(folder(), 'out'));

describe('byteify convert', () => {
  it('requires --out', async () => {
    expect(await commandLine('convert', LLAMA)).toMatchObject(wrongUsage('--out'));
  });

  it.each([
    ['no model, if the recipe names none', [], /model/],
    ['a revision of a folder', [LLAMA, '--revision', 'main'], /--revision/],
    ['an unreadable budget', [LLAMA, '--budget', '1x'], /--budget must be a time such as 30m.*not "1x"/],
    ['an unknown stage', [LLAMA, '--restart-from', 'lunch'], /--restart-from/],
    ['a recipe that does not exist', [LLAMA, '--recipe', 'missing'], /missing/],
    ['an override of an unknown key', [LLAMA, '--set', 'seeed=1'], /seeed/],
    ['an invalid override', [LLAMA, '--set', 'seed'], /--set/],
    ['an override of an unknown stage', [LLAMA, '--set', 'stages.9.steps=1'], /stages\.9/],
  ])('refuses %s, and writes nothing', async (_what, args, named) => {
    expect(await convert(...args)).toMatchObject(wrongUsage(named));
    expect(await readdir(folder())).toEqual([]);
  });

  it('says where the user’s recipe is wrong, and writes nothing', async () => {
    const recipe = join(folder(), 'mine.yaml');
    await writeFile(recipe, 'name: mine\nstages:\n  - kind: end-to-end\n    steps: many\n');
    expect(await convert(LLAMA, '--recipe', recipe)).toMatchObject(wrongUsage(/mine\.yaml:4:\d+: stages\.0\.steps/));
    expect(await readdir(folder())).toEqual(['mine.yaml']);
  });
});
