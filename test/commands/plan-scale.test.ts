import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { REPOSITORY } from '../support/repository-texts.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const TINY = ['plan', '--recipe', 'tiny', '--scale'];

async function scaleOf(...more: string[]) {
  const { code, stdout, stderr } = await commandLine(...TINY, '--json', ...more);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

describe('plan --scale', () => {
  it('has as its budget what plan says that the recipe’s model costs', async () => {
    const planned = JSON.parse((await commandLine('plan', '--recipe', 'tiny', '--json')).stdout);
    const costs: number[] = Object.values(planned.forward_flops_per_byte);
    const scale = await scaleOf();
    expect(scale.budget_flops_per_byte).toBeCloseTo(
      costs.reduce((sum, flops) => sum + flops, 0),
      3,
    );
    expect(scale.recipe).toEqual({
      bytes_per_patch: planned.bytes_per_patch,
      flops_per_byte: scale.budget_flops_per_byte,
    });
    const source = scale.sizes.find((size: { is_source: boolean }) => size.is_source);
    expect(source).toMatchObject({ hidden_size: 128, layers: 6, heads: 4, fits_any_patch_size: false });
    expect(source.global_parameters).toBe(planned.parameters.global);
    expect(source.bytes_per_patch).toBeCloseTo(3.5, 9);
    const sizes = scale.patch_sizes.map((row: { bytes_per_patch: number }) => row.bytes_per_patch);
    expect(sizes).toEqual([3.5, 4.5, 6, 8]);
  });

  it('looks up the given patch sizes at the given budget', async () => {
    const scale = await scaleOf('--flops-per-byte', '4.1M', '--bytes-per-patch', '5', '9');
    expect(scale.budget_flops_per_byte).toBe(4_100_000);
    const [small, large] = scale.patch_sizes;
    expect([small.bytes_per_patch, large.bytes_per_patch]).toEqual([5, 9]);
    expect(large.largest.global_parameters).toBeGreaterThan(small.largest.global_parameters);
  });

  it('prints two tables and a chart that fits 80 columns', async () => {
    const { stdout } = await commandLine(...TINY);
    expect(stdout).toContain(
      'The recipe’s model costs 2.55 MFLOP per byte at 3.5 bytes per patch. That is the budget.',
    );
    expect(stdout).toMatch(/^ *128 +6 +4 +1\.11 M +1\.00 x +3\.50 {2}the source$/m);
    expect(stdout).toMatch(/^1\.11 M {2}\*+ {2}3\.50$/m);
    expect(stdout).toMatch(/^ +3\.5 +128 .* {2}the source$/m);
    expect(stdout).not.toMatch(/NaN|undefined|null/);
    // Without colour, in a terminal as in a pipe.
    expect(stdout).not.toContain('\u001b');
    for (const line of stdout.split('\n').filter((text) => text.includes('##'))) expect(line.length).toBeLessThan(81);
  });

  it('prints what the documentation shows', async () => {
    const page = await readFile(join(REPOSITORY, 'docs/patch-size.md'), 'utf8');
    expect(page).toContain(`\`\`\`text\n${(await commandLine(...TINY)).stdout}\`\`\``);
    const sizes = { hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, intermediate_size: 14336 };
    const config = { model_type: 'llama', vocab_size: 128256, num_key_value_heads: 8, ...sizes };
    await writeFile(join(folder(), 'config.json'), JSON.stringify(config));
    const { stdout } = await commandLine('plan', folder(), '--recipe', 'llama-3.1-8b-paper', '--scale');
    expect(stdout).toContain('The recipe’s model costs 3.69 GFLOP per byte at 4.5 bytes per patch.');
    expect(page).toContain('(3.69 GFLOP per byte at 4.5 bytes per patch)');
    const times = (bytes: number) => Number(new RegExp(`^ +${bytes} .* (\\S+) x$`, 'm').exec(stdout)![1]).toFixed(1);
    expect(page).toContain(`patches of 6 bytes allow ${times(6)} times the parameters`);
    expect(page).toContain(`patches of 8 bytes ${times(8)} times.`);
  });

  it('says so if the local models alone cost more than the budget', async () => {
    const scale = await scaleOf('--flops-per-byte', '1M');
    expect(scale.sizes).toMatchObject([{ is_source: true, bytes_per_patch: null, fits_any_patch_size: false }]);
    for (const { largest } of scale.patch_sizes) expect(largest).toBeNull();
    const { stdout } = await commandLine(...TINY, '--flops-per-byte', '1M');
    expect(stdout).toContain(
      'Patcher and local models alone cost 1.79 MFLOP per byte, so no patch size fits the budget.',
    );
    expect(stdout).toMatch(/1\.00 x +none {2}the source; costs more at every patch size$/m);
    expect(stdout).toMatch(/^ +3\.5 +none fits$/m);
    const svg = join(folder(), 'none.svg');
    const refused = await commandLine(...TINY, '--flops-per-byte', '1M', '--svg', svg);
    expect(refused).toMatchObject(wrongUsage('there is nothing to draw'));
    expect(await readdir(folder())).toEqual([]);
  });

  it('says so if a size fits the budget at any patch size', async () => {
    const scale = await scaleOf('--flops-per-byte', '1G');
    expect(scale.sizes[0]).toMatchObject({ is_source: true, bytes_per_patch: null, fits_any_patch_size: true });
    expect((await commandLine(...TINY, '--flops-per-byte', '1G')).stdout).toMatch(
      /1\.00 x +any {2}the source; costs less even at 1 byte per patch$/m,
    );
  });

  it('writes the chart, and replaces an earlier one', async () => {
    const svg = join(folder(), 'scale.svg');
    await writeFile(svg, 'before');
    expect((await scaleOf('--svg', svg)).svg).toBe(svg);
    expect(await readFile(svg, 'utf8')).toContain('Patch size against model size at 2.55 MFLOP of inference per byte');
    expect(await readdir(folder())).toEqual(['scale.svg']);
  });
});

describe('options that have no effect', () => {
  it.each([
    ['--flops-per-byte', '2G'],
    ['--bytes-per-patch', '6'],
    ['--svg', 'scale.svg'],
  ])('%s without --scale is refused', async (...option) => {
    const { code, stdout, stderr } = await commandLine('plan', '--recipe', 'tiny', ...option);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`error: ${option[0]} has no effect without --scale.\nhint: Add --scale.\n`);
  });

  it.each([
    ['--budget', '8h'],
    ['--data', 'docs'],
    ['--gflops', '100'],
    ['--target', 'h100'],
    ['--devices', '2'],
    ['--fully-sharded'],
  ])('%s with --scale is refused', async (...option) => {
    expect(await commandLine(...TINY, ...option)).toMatchObject(wrongUsage(`on which ${option[0]} has no effect`));
  });

  it.each([
    ['--flops-per-byte', '0'],
    ['--flops-per-byte', 'much'],
    ['--flops-per-byte', '2P'],
    ['--bytes-per-patch', '0.5'],
    ['--bytes-per-patch', '1e300'],
    ['--bytes-per-patch', 'few'],
  ])('%s %s is refused', async (flag, value) => {
    expect(await commandLine(...TINY, flag, value)).toMatchObject(wrongUsage(`${flag} must be`));
  });
});
