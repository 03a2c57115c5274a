import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { fabricateConversion } from '../support/fabricated-conversion.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

describe('byteify compare', () => {
  it('prints a table or JSON, and writes a page if told', async () => {
    const dirs = ['a', 'b'].map((name) => join(folder(), name));
    for (const dir of dirs) {
      await mkdir(dir);
      await fabricateConversion(dir);
    }
    const page = join(folder(), 'page.html');
    const table = await commandLine('compare', ...dirs, '--out', page);
    expect([table.code, table.stdout]).toEqual([0, expect.stringMatching(/retention +80\.0 % +80\.0 %/)]);
    expect(await readFile(page, 'utf8')).toContain('Conversions side by side');
    const { stdout } = await commandLine('compare', ...dirs, '--json');
    const { rows, conversions } = JSON.parse(stdout);
    expect(conversions).toEqual(dirs);
    expect(rows[0]).toEqual({ label: 'recipe', values: { [dirs[0]!]: 'r', [dirs[1]!]: 'r' } });
    expect(await commandLine('compare', folder())).toMatchObject(wrongUsage('is not a conversion'));
  });
});
