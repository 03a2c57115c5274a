import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const folder = temporaryFolder();
beforeEach(() => vi.stubEnv('BYTEIFY_API_KEY', undefined));
afterEach(() => vi.unstubAllEnvs());

const keyFile = async (text: string) => {
  const file = join(folder(), 'key');
  await writeFile(file, text);
  return file;
};

// A server's responses are tested in test/serve and test/e2e/serve.test.ts; here it never begins to listen.
describe('byteify serve', () => {
  it('refuses to listen on a public address without a key', async () => {
    expect(await commandLine('serve', BLT, '--host', '0.0.0.0')).toMatchObject(wrongUsage('--api-key-file'));
  });

  it.each(['', ' \n', 'two words', 'ключ'])('refuses %j as a key', async (text) => {
    const file = await keyFile(text);
    expect(await commandLine('serve', BLT, '--api-key-file', file)).toMatchObject(wrongUsage(file));
  });

  it('refuses two keys, and a key file that does not exist', async () => {
    const missing = join(folder(), 'missing');
    expect(await commandLine('serve', BLT, '--api-key-file', missing)).toMatchObject(wrongUsage(missing));
    vi.stubEnv('BYTEIFY_API_KEY', 'secret');
    const { stderr, ...rest } = await commandLine('serve', BLT, '--api-key-file', await keyFile('other'));
    expect(rest).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('BYTEIFY_API_KEY');
    expect(stderr).not.toMatch(/secret|other/);
  });

  it.each([
    ['--port', '65536'],
    ['--port', 'http'],
    ['--lanes', '0'],
    ['--lanes', '65'],
    ['--max-waiting', '-1'],
    ['--max-bytes', '0'],
    ['--max-body', 'big'],
    ['--time-limit', '0'],
    ['--time-limit', '86401'],
    ['--grace', '1.5'],
  ])('refuses %s %s', async (flag, value) => {
    expect(await commandLine('serve', BLT, flag, value)).toMatchObject(wrongUsage(flag));
  });

  it('refuses a folder that contains no model', async () => {
    const { code, stdout, stderr } = await commandLine('serve', folder(), '--port', '0');
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(folder());
  });
});
