import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEW_STEPS } from '../../scripts/few-steps.mjs';
import { type Packed, packed, ROOT, runAsUser } from '../support/packed.js';

const run = promisify(execFile);

let installed: Packed;
/** A user's folder below the installed package. */
let work: string;
beforeAll(async () => {
  installed = await packed();
  work = await mkdtemp(join(installed.folder, 'work-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

const node = (code: string, cwd = work) => run(process.execPath, ['--input-type=module', '--eval', code], { cwd });

/** Compiles the file of a user who has TypeScript but not the types of Node. */
async function compiles(file: string, code: string): Promise<void> {
  await writeFile(join(work, file), code);
  const strict = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  const found = run(tsc, [...strict, '--lib', 'es2023,dom', '--types', '', file], { cwd: work });
  await found.catch(({ stdout }: { stdout: string }) => expect.unreachable(stdout));
}

/** The README's example in TypeScript. */
async function example(): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  return /^```ts\n([\s\S]*?)^```$/m.exec(readme)![1]!;
}

/** `./gguf` and so on. */
async function entries(): Promise<string[]> {
  const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { exports: object };
  return Object.keys(exports).filter((name) => name !== '.' && !name.endsWith('.json'));
}

describe('the tarball', () => {
  it('contains a module and a declaration for each source, the data files, and nothing else', async () => {
    const sources = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((name) => /\.(ts|js)$/.test(name));
    const { stdout } = await run('git', ['ls-files', 'assets', 'recipes', 'schema', 'torch/*.py', 'spark/*.py'], {
      cwd: ROOT,
    });
    const built = sources.flatMap((name) => ['.js', '.d.ts'].map((end) => `dist/${name.replace(/\.(ts|js)$/, end)}`));
    const documents = ['LICENSE', 'NOTICE', 'README.md', 'package.json'];
    expect(installed.files).toEqual([...documents, ...built, ...stdout.trim().split('\n')].sort());
  });

  it('passes npm’s own checks and publint', async () => {
    const { publint } = await import('publint');
    const { readFile: read } = await import('node:fs/promises');
    const { messages } = await publint({ pack: { tarball: (await read(installed.tarball)).buffer }, strict: true });
    expect(messages).toEqual([]);
  });
});

describe('the installed package', () => {
  it('exports the library, which loads TensorFlow only when needed', async () => {
    const { stdout } = await node(`
      import * as byteify from '${installed.name}';
      const loaded = process.report.getReport().sharedObjects.some((path) => path.includes('libtensorflow'));
      console.log(JSON.stringify({ names: Object.keys(byteify), loaded }));`);
    const { names, loaded } = JSON.parse(stdout) as { names: string[]; loaded: boolean };
    expect(loaded).toBe(false);
    expect(names).toEqual(
      expect.arrayContaining([
        ...['importModel', 'remap', 'finetune', 'exportTransformers', 'makePlan', 'convert', 'loadRecipe'],
        ...['openBlt', 'openLlamaModel', 'scoreTexts', 'openSegmenter', 'openCheckpoint', 'openGguf', 'startEngine'],
        ...['downloadModel', 'ByteifyError', 'UsageError'],
      ]),
    );
  });

  it('has the types of the README’s example, which works', async () => {
    const code = await example();
    await compiles('example.mts', code);
    const { stdout } = await node(code);
    expect(stdout).toMatch(/^\d+ parameters are the Llama's, \d+ are new\n$/);
    const config = JSON.parse(await readFile(join(work, 'tiny', 'init', 'config.json'), 'utf8'));
    expect(config.model_type).toBe('blt');
  });

  it('has entries that need neither TensorFlow.js nor koffi', async () => {
    const bare = await mkdtemp(join(tmpdir(), 'byteify-bare-'));
    try {
      await mkdir(join(bare, 'node_modules'));
      for (const name of await readdir(join(installed.folder, 'node_modules'))) {
        if (name === '@tensorflow' || name === 'koffi' || name.startsWith('.')) continue;
        await symlink(join(installed.folder, 'node_modules', name), join(bare, 'node_modules', name));
      }
      const load = (entry: string) =>
        run(process.execPath, ['--preserve-symlinks', '--input-type=module', '--eval', `import '${entry}';`], {
          cwd: bare,
        });
      // Without them the whole library cannot be loaded, which proves that the folder lacks them.
      await expect(load(installed.name)).rejects.toThrow('@tensorflow/tfjs-core');
      for (const entry of await entries()) await load(entry.replace('.', installed.name));
    } finally {
      await rm(bare, { recursive: true });
    }
  });

  it('has the types of each entry', async () => {
    const uses = (await entries()).map(
      (entry, i) => `export * as entry${i} from '${entry.replace('.', installed.name)}';`,
    );
    await compiles(
      'entries.mts',
      `${uses.join('\n')}
import { openGguf, type GgufFile } from '${installed.name}/gguf';
import { downloadModel, type Downloaded } from '${installed.name}/hub';
import { loadRecipe, type Recipe } from '${installed.name}/recipe';
import { openCheckpoint, toFloat32, type Checkpoint } from '${installed.name}/safetensors';
export const file: Promise<GgufFile> = openGguf('a.gguf');
export const model: Promise<Downloaded> = downloadModel('a/b');
export const recipe: Promise<Recipe> = loadRecipe('tiny');
export const checkpoint: Promise<Checkpoint> = openCheckpoint('a');
export const values: Float32Array = toFloat32(new Uint8Array(2), 'BF16');
// @ts-expect-error: types are there, and are not any.
export const wrong: Promise<string> = openGguf('a.gguf');
`,
    );
  });

  it('exports its schema for editors and its package.json for tools', async () => {
    const { stdout } = await node(`
      import { createRequire } from 'node:module';
      const require = createRequire(process.cwd() + '/');
      console.log(require('${installed.name}/schema/recipe.schema.json').type, require('${installed.name}/package.json').version);`);
    expect(stdout).toMatch(/^object \d+\.\d+\.\d+/);
  });

  it('installs the command byteify', async () => {
    const { code, stdout } = await runAsUser('byteify --help && npx --no-install byteify --version', installed, work);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: byteify ');
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/m);
  });

  it('converts the embedded Llama', async () => {
    const { code, stderr } = await runAsUser(`byteify demo ${FEW_STEPS.join(' ')}`, installed, work);
    expect(code, stderr).toBe(0);
    const config = JSON.parse(await readFile(join(work, 'byteify-demo', 'blt', 'config.json'), 'utf8'));
    expect(config.model_type).toBe('blt');
  });
});
