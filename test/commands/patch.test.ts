import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const TEXT = 'The latent global transformer reads patches.';
const folder = temporaryFolder();
const textFile = async () => {
  const file = join(folder(), 'text');
  await writeFile(file, TEXT);
  return file;
};

describe('byteify patch', () => {
  it('prints one JSON document with the same patches and entropies as score', async () => {
    const file = await textFile();
    const { code, stdout } = await commandLine('patch', BLT, file, '--json');
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(Object.keys(document).sort()).toEqual(['bytes_per_patch', 'entropy_nats', 'patch_lengths']);
    expect(document.bytes_per_patch).toBe(TEXT.length / (document.patch_lengths.length - 1));
    const scored = JSON.parse((await commandLine('score', BLT, file, '--json')).stdout);
    expect(document.patch_lengths).toEqual(scored.patch_lengths);
    expect(document.entropy_nats).toHaveLength(TEXT.length);
    document.entropy_nats.forEach((nats: number, i: number) => {
      expect(nats).toBeCloseTo(scored.entropy_nats[i], 4);
    });
  });

  it('shows the text with its patches', async () => {
    const { code, stdout } = await commandLine('patch', BLT, await textFile());
    expect(code).toBe(0);
    const [shown, counted] = stdout.trimEnd().split('\n');
    expect(shown!.replaceAll('│', '')).toBe(TEXT);
    expect(counted).toContain(String(shown!.split('│').length));
  });

  it('requires a model, and names files that do not exist', async () => {
    expect(await commandLine('patch')).toMatchObject(wrongUsage('dir'));
    const missing = join(folder(), 'missing');
    expect(await commandLine('patch', BLT, missing)).toMatchObject(wrongUsage(`${missing} does not exist`));
    expect(await commandLine('patch', BLT, missing, '--threads', '0')).toMatchObject(wrongUsage('--threads'));
    expect(await commandLine('patch', BLT, missing, '--device', 'abacus')).toMatchObject(wrongUsage('abacus'));
  });
});
