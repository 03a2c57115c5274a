import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';

const BLT = goldenPath('plain/blt');

describe('byteify bench train-step', () => {
  it('prints one JSON document', async () => {
    const { code, stdout } = await commandLine(
      ...[
        'bench',
        'train-step',
        BLT,
        '--batch',
        '1',
        '--bytes',
        '32',
        '--steps',
        '2',
        '--bytes-per-patch',
        '4',
        '--json',
      ],
    );
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(Object.keys(document).sort()).toEqual(['bytes_per_second', 'loss', 'peak_rss_bytes', 'step_ms']);
    expect(document.step_ms).toHaveLength(2);
    for (const value of [...document.step_ms, document.bytes_per_second, document.peak_rss_bytes, document.loss])
      expect(value).toBeGreaterThan(0);
  });

  it.each([
    ['no model', [], /train-step/],
    ['too short a row', [BLT, '--bytes', '15'], /--bytes/],
    ['no steps', [BLT, '--steps', '0'], /--steps/],
    ['another mode', [BLT, '--mode', 'fast'], /--mode/],
  ])('refuses %s', async (_what, args, named) => {
    expect(await commandLine('bench', 'train-step', ...args)).toMatchObject(wrongUsage(named));
  });

  it('names its one measurement if none is given', async () => {
    const { code, stdout, stderr } = await commandLine('bench');
    expect(code).toBe(2);
    expect(stdout + stderr).toContain('train-step');
  });
});
