import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const folder = temporaryFolder();
let [prose, lines] = ['', ''];
beforeEach(async () => {
  prose = join(folder(), 'prose');
  lines = join(folder(), 'lines.jsonl');
  await mkdir(prose);
  await writeFile(join(prose, 'one.txt'), 'The first document.');
  await writeFile(join(prose, 'two.txt'), 'The second.');
  await writeFile(lines, '{"body":"A third one."}\n');
});

describe('byteify evaluate', () => {
  it('prints one JSON document, with each path as a separate kind', async () => {
    const args = ['--data', prose, lines, '--text-key', 'body'];
    const { code, stdout } = await commandLine('evaluate', BLT, ...args, '--json');
    expect(code).toBe(0);
    const { kinds } = JSON.parse(stdout);
    expect(kinds).toEqual([
      expect.objectContaining({ kind: 'prose', documents: 2, bytes: 30, refused: [] }),
      expect.objectContaining({ kind: expect.stringContaining('lines'), documents: 1, bytes: 12, refused: [] }),
    ]);
    for (const kind of kinds) {
      // An untrained model predicts almost nothing: about eight bits per byte.
      expect(Math.abs(kind.bits_per_byte - Math.log2(260))).toBeLessThan(1);
      expect(kind.bytes_per_patch).toBeGreaterThanOrEqual(1);
    }
    const table = await commandLine('evaluate', BLT, ...args);
    for (const { bits_per_byte } of kinds) expect(table.stdout).toContain(bits_per_byte.toFixed(4));
  });

  it('measures a source on the same text, and what the model retains of each kind', async () => {
    const args = ['--data', prose, lines, '--text-key', 'body', '--against', 'builtin:tiny-llama'];
    const { code, stdout } = await commandLine('evaluate', BLT, ...args, '--json');
    expect(code).toBe(0);
    const { kinds, source_quantised_types: quantised } = JSON.parse(stdout);
    expect(quantised).toEqual([]);
    for (const { bytes, bits_per_byte: own, source, retention } of kinds) {
      expect(source).toEqual({
        ...{ bytes, unspelled_count: 0 },
        ...{ bits_per_byte: expect.any(Number), bytes_per_token: expect.any(Number) },
      });
      expect(retention).toBeCloseTo(source.bits_per_byte / own, 9);
      expect(retention).toBeLessThan(1);
    }
    const table = await commandLine('evaluate', BLT, ...args);
    expect(table.stdout).toContain('retention');
    for (const { retention } of kinds) expect(table.stdout).toContain(`${(100 * retention).toFixed(1)} %`);
    expect(table.stdout).not.toContain('quantised');
  });

  it('refuses a source that a checkpoint does not have, and one that does not exist', async () => {
    const own = await commandLine('evaluate', BLT, '--data', prose, '--against', 'source');
    expect([own.code, own.stderr]).toEqual([2, expect.stringContaining('its source is unknown')]);
    const missing = join(folder(), 'missing.gguf');
    const { code, stderr } = await commandLine('evaluate', BLT, '--data', prose, '--against', missing);
    expect([code, stderr]).toEqual([2, expect.stringContaining(missing)]);
  });

  it('requires text for a plain checkpoint, and names paths that do not exist', async () => {
    const bare = await commandLine('evaluate', BLT);
    expect(bare).toMatchObject({ code: expect.any(Number), stdout: '', stderr: expect.stringContaining('--data') });
    expect(bare.code).toBeGreaterThan(0);
    const missing = join(folder(), 'missing');
    const { code, stderr } = await commandLine('evaluate', BLT, '--data', missing);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(missing);
    expect(await commandLine('evaluate', BLT, '--data', prose, '--max-bytes', 'much')).toMatchObject(
      wrongUsage('--max-bytes'),
    );
  });
});
