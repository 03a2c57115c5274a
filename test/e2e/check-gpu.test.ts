import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const at = (path: string) => fileURLToPath(new URL(`../../scripts/${path}`, import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'byteify-gpu-test-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Runs check:gpu with a PATH of one folder. */
function checkGpu(programs: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const { CUDA_VISIBLE_DEVICES: _, ...rest } = process.env;
  return spawnSync(process.execPath, [at('check-gpu.mjs'), ...args], {
    encoding: 'utf8',
    env: { ...rest, PATH: programs, ...env },
  });
}

describe('check:gpu without nvidia-smi', () => {
  it('says so in one sentence and exits with 3', () => {
    const { status, stdout, stderr } = checkGpu(work);
    expect(stdout).toBe('There is no NVIDIA GPU to check here: nvidia-smi was not found.\n');
    expect([status, stderr]).toEqual([3, '']);
  });

  it('prints the same as one document with --json', () => {
    const { status, stdout } = checkGpu(work, ['--json']);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toEqual({ gpu: null, reason: 'nvidia-smi was not found', passed: false, checks: [] });
  });

  it('exits with 2 for wrong usage', () => {
    expect(checkGpu(work, ['--bogus']).status).toBe(2);
    expect(checkGpu(work, ['--hash-vocab', '0']).status).toBe(2);
  });
});

describe('check:gpu with a card but no plugin', () => {
  const programs = join(work, 'bin');
  mkdirSync(programs);
  const card = '0, GPU-1, NVIDIA H100 80GB HBM3, 580.159.04, 81559, 4, 9.0, Disabled';
  writeFileSync(join(programs, 'nvidia-smi'), `#!/bin/sh\necho '${card}'\n`);
  chmodSync(join(programs, 'nvidia-smi'), 0o755);
  const env = { BYTEIFY_HOME: join(work, 'empty'), LD_LIBRARY_PATH: '' };

  it('fails each check with a remedy, and leaves no folder behind', () => {
    const { status, stdout } = checkGpu(programs, ['--json', '--work', work], env);
    expect(status).toBe(1);
    const { gpu, checks } = JSON.parse(stdout);
    expect(gpu).toMatchObject({ name: 'NVIDIA H100 80GB HBM3', memory_bytes: 81_559 * 2 ** 20 });
    expect(checks.map(({ name }: { name: string }) => name)).toEqual([
      'plugin',
      'attention kernels',
      'golden parity',
      'compiled step',
      'memory plan',
    ]);
    for (const { ok, detail } of checks) {
      expect([ok, detail]).toEqual([false, 'No plugin for cuda is set up on this machine.']);
    }
    expect(readdirSync(work).filter((name) => name.startsWith('byteify-check-gpu-'))).toEqual([]);
  });

  it('finds no card if CUDA_VISIBLE_DEVICES hides it', () => {
    const { status, stdout } = checkGpu(programs, [], { ...env, CUDA_VISIBLE_DEVICES: '-1' });
    expect(stdout).toBe('There is no NVIDIA GPU to check here: CUDA_VISIBLE_DEVICES=-1 hides them all.\n');
    expect(status).toBe(3);
  });
});
