import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEW_STEPS } from '../../scripts/few-steps.mjs';
import { type Packed, packed, ROOT, runAsUser } from '../support/packed.js';
import { shellBlocks } from '../support/shell-blocks.js';

/**
 * The README's commands, run unchanged from top to bottom in an empty folder, as a reader would. A block that no test can run
 * (it needs an account, or never ends) has a comment on the line before it, `<!-- not run: needs an account -->`.
 */
const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
const blocks = shellBlocks(readme);
const run = blocks.filter(({ notRun }) => notRun === null);

let installed: Packed;
let work: string;
beforeAll(async () => {
  installed = await packed();
  work = await mkdtemp(join(tmpdir(), 'byteify-readme-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** The differences from the README: the package is installed from the tarball, and conversions of the embedded Llama take few steps. */
function forTest(commands: string): string {
  const few = FEW_STEPS.join(' ');
  return commands
    .replace(/(?<=\bnpm (?:install|i)\b[^\n#]*\s)byteify-blt\b/g, installed.tarball)
    .replace(/(\bbyteify demo\b|\bbyteify convert\b(?=[^\n]*--recipe tiny\b))/g, `$1 ${few}`);
}

describe('the README', () => {
  it('has commands to run', () => {
    expect(run.length).toBeGreaterThan(0);
  });

  it.each(run)('has commands that work in line $line', async ({ commands }) => {
    const { code, stderr } = await runAsUser(forTest(commands), installed, work);
    expect(code, stderr).toBe(0);
  });
});
