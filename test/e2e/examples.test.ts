import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FEW_STEPS } from '../../scripts/few-steps.mjs';
import { OWN_TEXT } from '../support/conversions.js';
import { REPOSITORY } from '../support/repository-texts.js';
import { startServing } from '../support/serving.js';

const run = promisify(execFile);

/** A folder like that of a reader of the examples: the package and OpenAI's client installed, and the examples beside them. */
const work = mkdtempSync(join(tmpdir(), 'byteify-examples-'));
const model = join(work, 'model');
afterAll(() => rmSync(work, { recursive: true, force: true }));

const installed = join(REPOSITORY, 'node_modules');

function install(name: string, from: string): void {
  const path = join(work, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(from, path, 'dir');
}

/** Node 22.18 and later run TypeScript directly. Compiling it also checks its types, and works with older versions. */
async function compileExamples(): Promise<void> {
  const options = {
    ...{ strict: true, skipLibCheck: true, module: 'nodenext', target: 'es2023', noEmitOnError: true },
    ...{ types: ['node'], rootDir: join(REPOSITORY, 'examples'), outDir: work },
    paths: { 'byteify-blt': [join(REPOSITORY, 'dist/index.d.ts')] },
    typeRoots: [join(installed, '@types')],
  };
  const project = join(work, 'tsconfig.json');
  const files = ['convert.ts', 'score.ts'].map((file) => join(REPOSITORY, 'examples', file));
  writeFileSync(project, JSON.stringify({ compilerOptions: options, files }));
  await run(process.execPath, [join(installed, 'typescript/bin/tsc'), '--project', project]).catch(
    ({ stdout }: { stdout: string }) => expect.unreachable(stdout),
  );
}

beforeAll(async () => {
  install('byteify-blt', REPOSITORY);
  install('openai', join(installed, 'openai'));
  writeFileSync(join(work, 'package.json'), '{ "type": "module" }');
  await compileExamples();
});

const node = (args: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, args, { cwd: work, env: { ...process.env, BYTEIFY_THREADS: '2', NO_COLOR: '1', ...env } });

/** The example accepts KEY=VALUE without the flag. */
const SETTINGS = FEW_STEPS.filter((argument) => argument !== '--set');

it('convert.ts converts the embedded tiny Llama, and finds it done when run again', async () => {
  const args = ['convert.js', ...OWN_TEXT, model, ...SETTINGS];
  const { stdout, stderr } = await node(args);
  expect(stdout).toMatch(/\/blt: \d\.\d{3} bits per byte on held-out text; the Llama has \d\.\d{3}\.\n$/);
  expect(stderr).toContain('Fine-tuning');
  expect((await node(args)).stdout).toBe(stdout);
});

it('score.ts prints the lines of a file that surprise the model most', async () => {
  const file = join(work, 'lines.txt');
  writeFileSync(file, `${'The model reads the text of the file.\n'.repeat(20)}ZQ~^|XJ§¶Ω≠\n`);
  const { stdout } = await node(['score.js', model, file]);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^\d+\.\d\d bits per byte, \d+ patches: ZQ~/);
  expect(lines[1]).toMatch(/bits per byte, \d+ patches: The model reads the text of the file\.$/);
});

it('stream.mjs streams from byteify serve with OpenAI’s client', async () => {
  const server = await startServing([model]);
  try {
    const example = join(REPOSITORY, 'examples/stream.mjs');
    const { stdout } = await node([example, 'The function'], { BYTEIFY_URL: server.url });
    expect(stdout.startsWith('The function')).toBe(true);
    expect(Buffer.byteLength(stdout)).toBeGreaterThan('The function\n'.length);
  } finally {
    server.child.kill();
    await server.finished;
  }
});
