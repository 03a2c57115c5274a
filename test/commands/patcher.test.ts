import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { OWN_TEXT } from '../support/conversions.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const folder = temporaryFolder();
const configAt = async (dir: string) => JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));

describe('byteify patcher', () => {
  it('lists its verbs', async () => {
    const { code, stdout, stderr } = await commandLine('patcher');
    expect(code).toBe(2);
    for (const name of ['train', 'calibrate', 'evaluate']) expect(stdout + stderr).toContain(name);
  });

  it('calibrate writes and prints the threshold that gives the target patch size', async () => {
    const copy = join(folder(), 'copy');
    await cp(BLT, copy, { recursive: true });
    const args = ['--target-bytes-per-patch', '3', '--max-bytes', '2048', '--data', ...OWN_TEXT, '--json'];
    const { code, stdout } = await commandLine('patcher', 'calibrate', copy, ...args);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(Object.keys(document).sort()).toEqual(['bytes_per_patch', 'config', 'threshold_nats']);
    expect(Math.abs(document.bytes_per_patch - 3)).toBeLessThan(0.1);
    expect((await configAt(copy)).patching_threshold).toBe(document.threshold_nats);
  });

  it('calibrate does not change a config that it cannot calibrate', async () => {
    const copy = join(folder(), 'copy');
    await cp(BLT, copy, { recursive: true });
    const before = await readFile(join(copy, 'config.json'), 'utf8');
    const tiny = join(folder(), 'tiny.txt');
    await writeFile(tiny, 'ab');
    const result = await commandLine('patcher', 'calibrate', copy, '--target-bytes-per-patch', '50', '--data', tiny);
    expect(result.code).toBeGreaterThan(0);
    expect(result.stdout).toBe('');
    expect(await readFile(join(copy, 'config.json'), 'utf8')).toBe(before);
  });

  const sweep = (...more: string[]) =>
    commandLine('patcher', 'calibrate', BLT, '--max-bytes', '2048', '--data', ...OWN_TEXT, '--sweep', ...more);

  it('calibrate --sweep shows a threshold for each target, and leaves the config alone', async () => {
    const before = await readFile(join(BLT, 'config.json'), 'utf8');
    const { code, stdout } = await sweep('2', '3.5', '--json');
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    // A checkpoint alone has no source.
    expect(document).toMatchObject({ text_bytes: expect.any(Number), source_bytes_per_token: null });
    const keys = ['target_bytes_per_patch', 'bytes_per_patch', 'threshold_nats', 'inside_character_cut_fraction'];
    for (const row of document.sweep) expect(Object.keys(row)).toEqual(keys);
    expect(document.sweep.map((row: Record<string, number>) => row.target_bytes_per_patch)).toEqual([2, 3.5]);
    for (const row of document.sweep)
      expect(Math.abs(row.bytes_per_patch - row.target_bytes_per_patch)).toBeLessThan(0.1);
    const table = await sweep('2', '3.5');
    expect(table.stdout).toMatch(/^target {2}bytes per patch {2}threshold, nats {2}cuts inside characters$/m);
    expect(table.stdout).toMatch(/^ {2}3\.50 +3\.[45]\d\d +\d\.\d{4} +0\.\d{4}$/m);
    expect(table.stdout).toContain('the config is unchanged');
    expect(await readFile(join(BLT, 'config.json'), 'utf8')).toBe(before);
  });

  it('calibrate refuses a sweep with a target, and invalid patch sizes', async () => {
    expect(await sweep('3', '4', '--target-bytes-per-patch', '3')).toMatchObject(
      wrongUsage('--sweep writes no threshold, so it does not go with --target-bytes-per-patch.'),
    );
    for (const value of ['0.5', 'few', '-3']) expect(await sweep(value)).toMatchObject(wrongUsage('--sweep must be'));
    expect(await sweep('900')).toMatchObject(wrongUsage('No threshold gives 900 bytes per patch'));
  });

  it('refuses an invalid target', async () => {
    const target = (value: string) => commandLine('patcher', 'calibrate', BLT, '--target-bytes-per-patch', value);
    for (const value of ['0', '-3', 'few']) expect(await target(value)).toMatchObject(wrongUsage('--target-bytes'));
  });

  it.each(['train', 'evaluate'])('%s requires a conversion', async (verb) => {
    const dir = join(folder(), 'none');
    const { code, stdout, stderr } = await commandLine('patcher', verb, dir, '--data', ...OWN_TEXT);
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(dir);
  });
});
