import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finished, runCli, startCli } from '../support/cli.js';
import { OWN_TEXT, tinyConversion } from '../support/conversions.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-e2e-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

let folder: string;
let result: Finished;
beforeAll(async () => {
  ({ folder, result } = await tinyConversion());
});

const TEXT = 'The latent global transformer reads patches: naïve café, 東京.\n';

/** A barely trained patcher may cut inside a character, which is then shown as bytes. */
const ASCII = 'The latent global transformer reads patches.';

describe('converting the embedded tiny Llama', () => {
  it('prints one JSON document and leaves a whole conversion', async () => {
    const summary = JSON.parse(result.stdout);
    expect(summary).toMatchObject({
      export: join(folder, 'blt'),
      bits_per_byte: expect.any(Number),
      source_bits_per_byte: expect.any(Number),
    });
    expect(summary.bits_per_byte).toBeLessThan(8);
    // The little held-out text has n-grams in common with the text that the tables learned.
    expect(summary.source_bits_per_byte).toBeGreaterThan(1);
    expect(summary.source_bits_per_byte).toBeLessThan(8);
    expect((await readdir(folder)).sort()).toEqual([
      'blt',
      'byteify.json',
      'data',
      'init',
      'patcher',
      'recipe.yaml',
      'run',
      'source',
    ]);
    expect((await readdir(join(folder, 'blt'))).sort()).toEqual(
      [
        'README.md',
        'config.json',
        'generation_config.json',
        'model.safetensors',
        'provenance.json',
        'recipe.yaml',
        'special_tokens_map.json',
        'tokenizer.json',
        'tokenizer_config.json',
      ].sort(),
    );
    const manifest = JSON.parse(await readFile(join(folder, 'byteify.json'), 'utf8'));
    expect(Object.values(manifest.stages).map((stage) => (stage as { state: string }).state)).toEqual(
      Array(5).fill('done'),
    );
  });

  it('does nothing when it is run again', async () => {
    const before = (await stat(join(folder, 'blt', 'model.safetensors'))).mtimeMs;
    const { result: again } = await tinyConversion();
    expect(again.stderr.match(/already there/g)?.length).toBeGreaterThanOrEqual(5);
    expect((await stat(join(folder, 'blt', 'model.safetensors'))).mtimeMs).toBe(before);
    expect(JSON.parse(again.stdout).bits_per_byte).toBe(JSON.parse(result.stdout).bits_per_byte);
  });

  it('refuses a changed recipe by name, and redoes what --restart-from names', async () => {
    const copy = join(work, 'copy');
    await cp(folder, copy, { recursive: true });
    const args = [
      'convert',
      '--recipe',
      join(folder, 'recipe.yaml'),
      '--data',
      ...OWN_TEXT,
      '--out',
      copy,
      '--set',
      'stages.4.steps=2',
    ];
    const refused = await runCli(args);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/recipe has changed since the stage "finetune" began/);
    expect(refused.stderr).toMatch(/--restart-from finetune/);
    const redone = await runCli([...args, '--restart-from', 'finetune', '--json']);
    expect(redone.code).toBe(0);
    expect((await readdir(join(copy, 'run'))).filter((name) => name.startsWith('checkpoint-'))).toEqual([
      'checkpoint-000002',
    ]);
  });

  it('takes the steps that a budget pays for, and keeps them when it is run again', async () => {
    const out = join(work, 'budget');
    const sets = ['patcher.batch_bytes=2048', 'stages.0.batch_bytes=2048', 'evaluate.validation_bytes=1024'];
    const args = (budget: string) => [
      ...['convert', '--recipe', 'tiny-paper', '--data', ...OWN_TEXT, '--out', out, '--budget', budget],
      ...sets.flatMap((set) => ['--set', set]),
    ];
    const first = await runCli(args('150G'));
    expect(first.code, first.stderr).toBe(0);
    const [, steps] = /^finetune +(\d+) /m.exec(first.stderr)!;
    expect(await readdir(join(out, 'run'))).toContain(`checkpoint-${steps!.padStart(6, '0')}`);
    expect(await readFile(join(out, 'recipe.yaml'), 'utf8')).toMatch(new RegExp(`^ +steps: ${steps}$`, 'm'));
    const again = await runCli(args('0.15T'));
    expect(again).toMatchObject({ code: 0, stdout: first.stdout });
    expect(again.stderr.match(/already there/g)?.length).toBeGreaterThanOrEqual(5);
    const other = await runCli(args('1T'));
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect(other.stderr).toMatch(/budget has changed since the stage "patcher" began/);
  });

  it('saves a checkpoint on Ctrl-C, exits with 130, and resumes to the same result', async () => {
    const [whole, stopped] = [join(work, 'whole'), join(work, 'stopped')];
    const sets = [
      'patcher.steps=2',
      'stages.0.steps=12',
      'stages.0.validate_every=6',
      'stages.0.batch_bytes=2048',
      'evaluate.validation_bytes=1024',
    ];
    const args = (out: string) => [
      'convert',
      '--recipe',
      'tiny-paper',
      '--data',
      ...OWN_TEXT,
      '--out',
      out,
      ...sets.flatMap((set) => ['--set', set]),
    ];
    expect((await runCli(args(whole))).code).toBe(0);
    const running = startCli(args(stopped));
    await running.seen('Fine-tuning ...');
    // Wait until a step is recorded, then stop in the middle of the run.
    for (let i = 0; i < 600; i++) {
      const lines = await readFile(join(stopped, 'run', 'metrics.jsonl'), 'utf8').catch(() => '');
      if (lines.split('\n').length > 3) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    running.child.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect((await readdir(join(stopped, 'run'))).some((name) => name.startsWith('checkpoint-'))).toBe(true);
    expect((await runCli(args(stopped))).code).toBe(0);
    const weights = (out: string) => readFile(join(out, 'blt', 'model.safetensors'));
    expect(Buffer.compare(await weights(stopped), await weights(whole))).toBe(0);
  });
});

describe('with a converted model', () => {
  const bytes = Buffer.byteLength(TEXT);

  it('score prints every byte’s surprisal', async () => {
    const file = join(work, 'text.txt');
    await writeFile(file, TEXT);
    const { code, stdout } = await runCli(['score', folder, file, '--json']);
    expect(code).toBe(0);
    const scores = JSON.parse(stdout);
    expect(Object.keys(scores).sort()).toEqual([
      'bits_per_byte',
      'byte_count',
      'entropy_nats',
      'nll_nats',
      'patch_lengths',
    ]);
    expect(scores.byte_count).toBe(bytes);
    expect([scores.nll_nats.length, scores.entropy_nats.length]).toEqual([bytes, bytes]);
    expect(scores.patch_lengths[0]).toBe(1);
    expect(scores.patch_lengths.reduce((a: number, b: number) => a + b)).toBe(bytes + 1);
    expect(scores.bits_per_byte).toBeCloseTo(
      scores.nll_nats.reduce((a: number, b: number) => a + b) / (Math.LN2 * bytes),
      9,
    );
  });

  it('evaluate prints the same bits per byte as score', async () => {
    const [one, other] = ['one.txt', 'other.txt'].map((name) => join(work, 'kinds', name)) as [string, string];
    await mkdir(join(work, 'kinds'), { recursive: true });
    await writeFile(one, 'The first document is longer than the other one. '.repeat(30));
    await writeFile(other, 'The other.');
    const { code, stdout } = await runCli(['evaluate', folder, '--data', join(work, 'kinds'), other, '--json']);
    expect(code).toBe(0);
    const { groups } = JSON.parse(stdout).suites[0];
    const scored = await Promise.all(
      [one, other].map(async (path) => JSON.parse((await runCli(['score', folder, path, '--json'])).stdout)),
    );
    const bits = scored.map((score) => score.bits_per_byte * score.byte_count);
    const bytes = scored.map((score) => score.byte_count);
    expect(groups.map(({ group, items }: Record<string, unknown>) => [group, items])).toEqual([
      ['kinds', 2],
      ['other', 1],
      ['all', 3],
    ]);
    const measured = groups.map(
      (group: { metrics: { bits_per_byte: { model: { value: number } } } }) => group.metrics.bits_per_byte.model.value,
    );
    expect(measured[0]).toBeCloseTo((bits[0]! + bits[1]!) / (bytes[0] + bytes[1]), 5);
    expect(measured[1]).toBeCloseTo(bits[1]! / bytes[1], 5);
    const shown = await runCli(['evaluate', folder]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/held out +\d+ +bits per byte +\d\.\d{4}/);
  });

  it('score and patch accept any bytes, also from a pipe', async () => {
    const file = join(work, 'bytes.bin');
    await writeFile(file, Uint8Array.of(0, 255, 128, 10, 27));
    expect(JSON.parse((await runCli(['score', folder, file, '--json'])).stdout).byte_count).toBe(5);
    const piped = await runCli(['patch', folder], { input: ASCII });
    expect(piped.stdout).toContain('│');
    expect(piped.stdout.replaceAll('│', '')).toContain(ASCII);
    const json = JSON.parse((await runCli(['patch', folder, file, '--json'])).stdout);
    expect(Object.keys(json).sort()).toEqual(['bytes_per_patch', 'entropy_nats', 'patch_lengths']);
  });

  it('bench train-step reports times, rate, memory and loss', async () => {
    const { stdout, code } = await runCli([
      'bench',
      'train-step',
      folder,
      '--batch',
      '1',
      '--bytes',
      '64',
      '--steps',
      '2',
      '--json',
    ]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.step_ms.length).toBe(2);
    for (const key of ['bytes_per_second', 'peak_rss_bytes', 'loss']) expect(report[key], key).toBeGreaterThan(0);
  });

  it('inspect, plan, doctor and calibrate work', async () => {
    expect(JSON.parse((await runCli(['inspect', join(folder, 'blt'), '--json'])).stdout)).toBeTruthy();
    expect(
      JSON.parse((await runCli(['plan', 'builtin:tiny-llama', '--recipe', 'tiny', '--json'])).stdout),
    ).toBeTruthy();
    expect(JSON.parse((await runCli(['doctor', '--json'])).stdout)).toMatchObject({ ready: true });
    const copy = join(work, 'calibrated');
    await cp(join(folder, 'blt'), copy, { recursive: true });
    const { stdout, code } = await runCli([
      'patcher',
      'calibrate',
      copy,
      '--target-bytes-per-patch',
      '3',
      '--data',
      ...OWN_TEXT,
      '--max-bytes',
      '4096',
      '--json',
    ]);
    expect(code).toBe(0);
    const { threshold_nats, bytes_per_patch } = JSON.parse(stdout);
    expect(Math.abs(bytes_per_patch - 3)).toBeLessThan(0.1);
    expect(JSON.parse(await readFile(join(copy, 'config.json'), 'utf8')).patching_threshold).toBe(threshold_nats);
  });

  it('export writes another precision in shards, and compares it', async () => {
    const out = join(work, 'bf16');
    const { code, stdout } = await runCli([
      'export',
      folder,
      '--out',
      out,
      '--dtype',
      'bfloat16',
      '--max-shard',
      '1MB',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ dtype: 'bfloat16' });
    expect(JSON.parse(stdout).max_logit_difference).toBeLessThan(1e-4);
    expect(await readdir(out)).toContain('model.safetensors.index.json');
  });
});
