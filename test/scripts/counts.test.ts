/** The two lines that `.ci/run` closes with. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const run = promisify(execFile);

/** What a script prints, and its exit code. */
async function printed(script: string, ...args: string[]): Promise<{ stdout: string; code: number }> {
  const path = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  return await run(process.execPath, [path, ...args]).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    ({ stdout, code }: { stdout: string; code: number }) => ({ stdout, code }),
  );
}

async function reportOf(name: string, [passed, failed, skipped]: [number, number, number], brokenFiles = 0) {
  const path = join(folder(), name);
  const testResults = Array.from({ length: brokenFiles }, () => ({ status: 'failed', assertionResults: [] }));
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, numTodoTests: 0 };
  await writeFile(path, JSON.stringify({ ...counts, testResults }));
  return path;
}

describe('count-tests', () => {
  it('adds up reports', async () => {
    const reports = [await reportOf('a', [3, 0, 1]), await reportOf('b', [4, 0, 0])];
    expect(await printed('count-tests.mjs', ...reports)).toEqual({
      stdout: '7 passed, 0 failed, 1 skipped\n',
      code: 0,
    });
  });

  it('fails for a failed test, for a file that does not load, and when nothing ran', async () => {
    const failed = await reportOf('a', [3, 2, 0]);
    expect(await printed('count-tests.mjs', failed)).toEqual({ stdout: '3 passed, 2 failed, 0 skipped\n', code: 1 });
    const broken = await reportOf('b', [3, 0, 0], 1);
    expect(await printed('count-tests.mjs', broken)).toEqual({ stdout: '3 passed, 1 failed, 0 skipped\n', code: 1 });
    expect(await printed('count-tests.mjs')).toEqual({ stdout: '0 passed, 0 failed, 0 skipped\n', code: 1 });
  });
});

describe('print-coverage', () => {
  it('prints the percentages of vitest’s summary, or that there is none', async () => {
    const path = join(folder(), 'coverage-summary.json');
    expect((await printed('print-coverage.mjs', path)).stdout).toBe('coverage: not measured\n');
    const total = { lines: { pct: 91.5 }, branches: { pct: 80 }, functions: { pct: 88 } };
    await writeFile(path, JSON.stringify({ total }));
    expect((await printed('print-coverage.mjs', path)).stdout).toBe(
      'coverage: 91.5 % of lines, 80 % of branches, 88 % of functions\n',
    );
  });
});
