import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const folder = temporaryFolder();
const textFile = async (text: string | Uint8Array) => {
  const file = join(folder(), 'text');
  await writeFile(file, text);
  return file;
};

describe('byteify score', () => {
  it('prints one JSON document with consistent numbers', async () => {
    const bytes = Buffer.from('naïve café, 東京.\n');
    const { code, stdout } = await commandLine('score', BLT, await textFile(bytes), '--json');
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(Object.keys(document).sort()).toEqual([
      'bits_per_byte',
      'byte_count',
      'entropy_nats',
      'nll_nats',
      'patch_lengths',
    ]);
    expect(document.byte_count).toBe(bytes.length);
    expect(document.nll_nats).toHaveLength(bytes.length);
    expect(document.entropy_nats).toHaveLength(bytes.length);
    // BOS is a separate patch.
    expect(document.patch_lengths[0]).toBe(1);
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    expect(sum(document.patch_lengths)).toBe(bytes.length + 1);
    expect(document.bits_per_byte).toBeCloseTo(sum(document.nll_nats) / (Math.LN2 * bytes.length), 9);
  });

  it('scores bytes that are not text', async () => {
    const { code, stdout } = await commandLine('score', BLT, await textFile(Uint8Array.of(0, 255, 128)), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).nll_nats.every(Number.isFinite)).toBe(true);
  });

  it('prints the same for people', async () => {
    const file = await textFile('Some text.');
    const { bits_per_byte } = JSON.parse((await commandLine('score', BLT, file, '--json')).stdout);
    const { code, stdout } = await commandLine('score', BLT, file);
    expect(code).toBe(0);
    expect(stdout).toContain(bits_per_byte.toFixed(4));
    expect(stdout).not.toMatch(/NaN|undefined/);
  });

  it('requires a model, and names an input that is missing, empty, or a folder', async () => {
    expect(await commandLine('score')).toMatchObject(wrongUsage('dir'));
    const missing = join(folder(), 'missing');
    expect(await commandLine('score', BLT, missing)).toMatchObject(wrongUsage(`${missing} does not exist`));
    expect(await commandLine('score', BLT, folder())).toMatchObject(wrongUsage(`${folder()} is a folder`));
    const empty = await textFile('');
    expect(await commandLine('score', BLT, empty)).toMatchObject(wrongUsage(`${empty} is empty`));
    const { code, stdout, stderr } = await commandLine('score', missing, await textFile('text'));
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(missing);
  });
});
