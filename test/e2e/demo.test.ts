import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finished, runCli } from '../support/cli.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-demo-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const out = join(work, 'demo');
const SETS = [
  'patcher.steps=3',
  'stages.0.text_bytes=20000',
  'stages.0.solve_bytes=10000',
  'stages.1.steps=3',
  'stages.1.validate_every=3',
  'evaluate.validation_bytes=2048',
];
const demo = (...more: string[]) => runCli(['demo', '--out', out, ...SETS.flatMap((set) => ['--set', set]), ...more]);

describe('byteify demo', () => {
  let result: Finished;
  beforeAll(async () => {
    result = await demo();
  });

  it('converts the embedded Llama, and prints six results, the report’s page among them, and the next steps', () => {
    expect(result.code).toBe(0);
    const [found, next] = result.stdout.split('\n\n');
    for (const verb of ['generate', 'serve', 'patch', 'convert']) expect(next).toContain(` ${verb} `);
    expect(next).toContain(`generate ${out} `);
    const lines = found!.trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^tiny Llama +\d\.\d{3} bits per byte on held-out text$/);
    expect(lines[1]).toMatch(/^converted BLT +\d+\.\d{3} bits per byte on held-out text$/);
    expect(lines[2]).toMatch(/^patches +.*│/);
    expect(lines[2]?.replace(/^patches +/, '').replaceAll('│', '')).toBe(
      'The latent global transformer reads patches of bytes, not tokens.',
    );
    expect(lines[3]).toMatch(/^sample +"The .*"$/);
    expect(lines[4]).toMatch(/^export +/);
    expect(lines[4]?.replace(/^export +/, '')).toBe(
      `${join(out, 'blt')} (transformers: BltForCausalLM.from_pretrained)`,
    );
    expect(lines[5]).toBe(`report         ${join(out, 'report.html')} (open it in a browser)`);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    for (const id of ['training', 'patches', 'samples', 'mapping']) expect(page).toContain(`<section id="${id}">`);
    expect(result.stderr).not.toMatch(/warning/);
  });

  it('prints the same as JSON, from the finished conversion', async () => {
    const { code, stdout } = await demo('--json');
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(Object.keys(document).sort()).toEqual([
      'bits_per_byte',
      'bytes_per_patch',
      'export',
      'patch_lengths',
      'prompt',
      'report',
      'sample',
      'seconds',
      'sentence',
      'source_bits_per_byte',
      'source_quantised_types',
    ]);
    expect(Object.keys(document.seconds)).toEqual(['import', 'remap', 'patcher', 'finetune', 'export']);
    expect(result.stdout).toContain(`${document.bits_per_byte.toFixed(3)} bits per byte`);
    expect(document.patch_lengths.reduce((a: number, b: number) => a + b)).toBe(document.sentence.length + 1);
    expect(await readdir(join(out, 'blt'))).toContain('model.safetensors');
  });

  it('redoes the conversion from the stage that a refusal names', async () => {
    const refused = await demo('--set', 'stages.1.steps=2');
    expect(refused.code).toBe(2);
    const [, flag, stage] = /(--restart-from) (\w+)/.exec(refused.stderr)!;
    expect((await demo('--set', 'stages.1.steps=2', flag!, stage!)).code).toBe(0);
    expect(await readdir(join(out, 'run'))).toContain('checkpoint-000002');
  });
});
