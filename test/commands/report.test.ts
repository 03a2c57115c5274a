import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { fabricateConversion } from '../support/fabricated-conversion.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
beforeEach(() => fabricateConversion(folder()));

describe('byteify report', () => {
  it('writes the page into the conversion, or where it is told', async () => {
    const { code, stdout } = await commandLine('report', folder(), '--no-model', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, { report: join(folder(), 'report.html') }]);
    const page = await readFile(join(folder(), 'report.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    const other = join(folder(), 'page.html');
    expect(await commandLine('report', folder(), '--no-model', '--out', other)).toMatchObject({
      code: 0,
      stdout: `${other}\n`,
    });
    expect(await readFile(other, 'utf8')).toBe(page);
  });

  it('refuses what is not a conversion', async () => {
    expect(await commandLine('report', goldenPath('plain/blt'), '--no-model')).toMatchObject(
      wrongUsage('is not a conversion'),
    );
  });
});
