import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numberedLines } from '../../../src/evaluate/suites/numbered-lines.js';
import { collected } from '../../support/suite-items.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();

describe('numbered lines', () => {
  it('count from 1, empty ones too, whatever ends them', async () => {
    const path = join(folder(), 'text');
    await writeFile(path, 'a\r\n\nç');
    expect(await collected(numberedLines(path))).toEqual([
      { number: 1, line: 'a' },
      { number: 2, line: '' },
      { number: 3, line: 'ç' },
    ]);
    expect((await collected(numberedLines(path, 'latin1')))[2]!.line).toBe('Ã§');
  });

  it('name a folder, and a file that is not there', async () => {
    await expect(collected(numberedLines(folder()))).rejects.toMatchObject({ code: 'EISDIR', path: folder() });
    const missing = join(folder(), 'missing');
    await expect(collected(numberedLines(missing))).rejects.toMatchObject({ code: 'ENOENT', path: missing });
  });
});
