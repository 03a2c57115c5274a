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
