import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
beforeEach(() => vi.stubEnv('BYTEIFY_HOME', join(folder(), 'home')));
afterEach(() => vi.unstubAllEnvs());

/** The contents of the engine's cache. */
const remembered = () => readdir(join(folder(), 'home', 'engine')).catch(() => []);

// Downloading and checking the libraries is tested in test/engine/setup/set-up.test.ts.
describe('byteify setup', () => {
  it('refuses a folder without the libraries, and does not record it', async () => {
    const libraries = join(folder(), 'libraries');
    const { code, stdout, stderr } = await commandLine('setup', '--libtensorflow', libraries);
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(libraries);
    expect(await remembered()).toEqual([]);
  });

  it('refuses files that are not libraries', async () => {
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
      await writeFile(join(folder(), name), 'not a library');
    const { code, stdout } = await commandLine('setup', '--libtensorflow', folder());
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(await remembered()).toEqual([]);
  });

  it('accepts no argument', async () => {
    expect(await commandLine('setup', 'now')).toMatchObject(wrongUsage('argument'));
  });
});
