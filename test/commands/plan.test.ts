import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { plan } from '../../src/commands/plan.js';
import { parseBudget } from '../../src/plan/index.js';
import { runCommand } from '../support/run-command.js';
import { SMOLLM2_JSON } from '../support/smollm2.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const llama = fileURLToPath(new URL('../fixtures/golden/plain/llama', import.meta.url));
const folder = temporaryFolder();

// The test must not depend on this machine's self-test.
beforeEach(() => vi.stubEnv('BYTEIFY_HOME', folder()));
afterEach(() => vi.unstubAllEnvs());

describe('plan', () => {
  it('prints one JSON document, with times at the given rate', async () => {
    const { stdout, error } = await runCommand(plan, { model: llama, set: [], gflops: 100 }, { json: true });
    expect(error).toBeNull();
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ model: llama, gflops_per_second: 100 });
    expect(Object.keys(document.parameters).sort()).toEqual([
      'decoder',
      'encoder',
      'global',
      'hash',
      'head',
      'patcher',
    ]);
    expect(document.stages.map(({ stage }: { stage: string }) => stage)).toEqual([
      'import',
      'remap',
      'patcher',
      'finetune 0 closed-form',
      'finetune 1 end-to-end',
      'export',
    ]);
    const flops = document.stages.reduce((sum: number, stage: { flops?: number }) => sum + (stage.flops ?? 0), 0);
    expect(document.seconds).toBeCloseTo(flops / 100e9, 6);
  });

  it('prints no time without a rate, and uses 0.6 times the rate of the self-test', async () => {
    const unknown = await runCommand(plan, { model: llama, set: [] });
    expect(unknown.stdout).toContain('unknown: give --gflops');
    await import('node:fs/promises').then(({ mkdir }) => mkdir(join(folder(), 'engine')));
    await writeFile(join(folder(), 'engine', 'self-test.json'), '{"gflops": 200}');
    const measured = await runCommand(plan, { model: llama, set: [] }, { json: true });
    expect(JSON.parse(measured.stdout).gflops_per_second).toBe(120);
  });

  it('agrees with the recipe and the documentation about SmolLM2', async () => {
    await writeFile(join(folder(), 'config.json'), JSON.stringify({ ...SMOLLM2_JSON, torch_dtype: 'bfloat16' }));
    for (const recipe of ['smollm2-135m', 'smollm2-135m-paper']) {
      const args = { model: folder(), recipe, set: [], gflops: 128 };
      const { stdout } = await runCommand(plan, args, { json: true });
      const says = `about ${Math.round(JSON.parse(stdout).seconds / 3600)} hours at 128 GFLOP/s`;
      for (const path of [`recipes/${recipe}.yaml`, 'docs/recipes.md'])
        expect(await readFile(join(root, path), 'utf8'), path).toContain(says);
    }
  });

  it.each([
    ['llama-3.2-1b', { hidden_size: 2048, num_hidden_layers: 16, num_attention_heads: 32, intermediate_size: 8192 }],
    ['llama-3.2-3b', { hidden_size: 3072, num_hidden_layers: 28, num_attention_heads: 24, intermediate_size: 8192 }],
    ['llama-3.1-8b', { hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, intermediate_size: 14336 }],
  ])('agrees with the recipe about %s', async (recipe, sizes) => {
    const config = {
      model_type: 'llama',
      vocab_size: 128256,
      num_key_value_heads: 8,
      torch_dtype: 'bfloat16',
      ...sizes,
    };
    await writeFile(join(folder(), 'config.json'), JSON.stringify(config));
    const { stdout } = await runCommand(plan, { model: folder(), recipe, set: [] }, { json: true });
    const { memory_bytes: memory, stages } = JSON.parse(stdout);
    const text = (stage: { stage: string; text_bytes?: number }, kind: RegExp) =>
      kind.test(stage.stage) ? (stage.text_bytes ?? 0) / 1e9 : 0;
    const sum = (kind: RegExp) => stages.reduce((all: number, stage: { stage: string }) => all + text(stage, kind), 0);
    const header = (await readFile(join(root, `recipes/${recipe}.yaml`), 'utf8')).split('\n\n')[0];
    expect(header).toContain(
      `needs ${Math.round(sum(/finetune/))} GB of text, of which the patcher reads ${sum(/patcher/).toFixed(1)} GB, and about ${Math.round(memory / 1e9)} GB of memory`,
    );
  });

  it('follows --set', async () => {
    const finetune = async (set: string[]) => {
      const { stdout } = await runCommand(plan, { model: llama, set }, { json: true });
      return JSON.parse(stdout).stages[4];
    };
    const [once, twice] = [await finetune(['stages.1.steps=50']), await finetune(['stages.1.steps=100'])];
    expect(twice.flops).toBe(2 * once.flops);
    expect(twice.memory_bytes).toBe(once.memory_bytes);
  });

  it('chooses steps for a budget, limited by the text that there is', async () => {
    const budget = parseBudget('1h');
    const planned = async (args: object) => {
      const given = { model: llama, set: [], gflops: 100, budget, ...args };
      return JSON.parse((await runCommand(plan, given, { json: true })).stdout);
    };
    const all = await planned({});
    expect(all.budget).toEqual({ flops: 3.6e14, unspent_flops: expect.any(Number), text_bytes: null });
    expect(all.seconds).toBeLessThanOrEqual(3600);
    expect(all.seconds).toBeGreaterThan(3400);
    await writeFile(join(folder(), 'text.txt'), 'x'.repeat(2_000_000));
    const short = await planned({ data: [join(folder(), 'text.txt')] });
    expect(short.budget.text_bytes).toBe(1_960_000);
    for (const { steps, text_bytes: bytes } of short.stages)
      if (steps > 0) expect(bytes).toBeLessThanOrEqual(4 * 1_960_000);
    const table = await runCommand(plan, { model: llama, set: [], gflops: 100, budget });
    expect(table.stdout).toMatch(/^The budget of 1h is 360 TFLOP at 100 GFLOP\/s\./);
    expect(table.stdout).toContain('forward per byte');
    const unknown = await runCommand(plan, { model: llama, set: [], budget });
    expect(unknown.error).toMatchObject({ exitCode: 2, message: expect.stringContaining('has not been measured') });
  });

  it('prints a table for people', async () => {
    const { stdout } = await runCommand(plan, { model: llama, set: [], gflops: 100 });
    expect(stdout).toMatch(/^part +parameters +forward per byte$/m);
    expect(stdout).toMatch(/^finetune 1 end-to-end +65\.5 MB +[\d.]+ TFLOP +[\d.]+ [MG]B +[\d.]+ [KMG]B +\d/m);
    expect(stdout).not.toMatch(/NaN|undefined|null/);
  });

  it('warns if training needs more memory than the machine has', async () => {
    const rows = (count: number) => [
      `stages.1.batch_bytes=${count * 1024}`,
      `stages.1.micro_batch_size=${count}`,
      'patcher.steps=1',
    ];
    expect((await runCommand(plan, { model: llama, set: rows(1) })).stderr).toBe('');
    const { stderr, stdout } = await runCommand(plan, { model: llama, set: rows(10_000_000) });
    expect(stderr).toMatch(/^warning: Training needs [\d.]+ [TP]B of memory, but this machine has/);
    expect(stdout).toContain('finetune');
  });

  it('requires a model on the command line or in the recipe', async () => {
    const { error } = await runCommand(plan, { set: [] });
    expect(error).toMatchObject({ message: 'No model was named.', exitCode: 2 });
  });
});
