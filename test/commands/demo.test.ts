import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

describe('byteify demo', () => {
  it.each([
    ['an override of an unknown key', ['--set', 'stages.0.stepz=1'], /stepz/],
    ['an unknown stage', ['--restart-from', 'lunch'], /--restart-from/],
    ['an argument', ['org/name'], /argument/],
  ])('refuses %s, and writes nothing', async (_what, args, named) => {
    expect(await commandLine('demo', '--out', join(folder(), 'demo'), ...args)).toMatchObject(wrongUsage(named));
    expect(await readdir(folder())).toEqual([]);
  });
});
