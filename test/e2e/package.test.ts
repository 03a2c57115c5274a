import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = temporaryFolder();

/** A user's folder in which byteify is installed. */
beforeEach(async () => {
  await mkdir(join(folder(), 'node_modules'));
  await symlink(root, join(folder(), 'node_modules', 'byteify'));
});

const node = (code: string) => run(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder() });

/** The README's example in TypeScript. */
async function example(): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  return /^```ts\n([\s\S]*?)^```$/m.exec(readme)![1]!;
}

describe('the package, by its name', () => {
  it('gives the library, and loads no TensorFlow until it is asked to', async () => {
    const { stdout } = await node(`
      import * as byteify from 'byteify';
      import { readFileSync } from 'node:fs';
      const libraries = readFileSync('/proc/self/maps', 'utf8').includes('libtensorflow');
      console.log(JSON.stringify({ names: Object.keys(byteify), libraries }));`);
    const { names, libraries } = JSON.parse(stdout) as { names: string[]; libraries: boolean };
    expect(libraries).toBe(false);
    expect(names).toEqual(
      expect.arrayContaining([
        ...['importModel', 'remap', 'finetune', 'exportTransformers', 'makePlan', 'convert', 'loadRecipe'],
        ...['openBlt', 'openLlamaModel', 'scoreTexts', 'openSegmenter', 'openCheckpoint', 'openGguf', 'startEngine'],
      ]),
    );
  });

  it('has the types of the README’s example, which does what it says', async () => {
    const code = await example();
    await writeFile(join(folder(), 'example.mts'), code);
    const strict = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    await run(tsc, [...strict, '--lib', 'es2023,dom', '--types', '', 'example.mts'], { cwd: folder() });
    const { stdout } = await node(code);
    expect(stdout).toMatch(/^\d+ parameters are the Llama's, \d+ are new\n$/);
    const config = JSON.parse(await readFile(join(folder(), 'tiny', 'init', 'config.json'), 'utf8'));
    expect(config.model_type).toBe('blt');
  });
});
