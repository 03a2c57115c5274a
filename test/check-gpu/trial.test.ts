import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { NO_GPU, SMALL_STEP } from '../../scripts/check-gpu/trial.mjs';

const RUN_CHECK = fileURLToPath(new URL('../../scripts/check-gpu/run-check.mjs', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'byteify-gpu-trial-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Runs a check on the CPU plugin: its measurements are valid, although not of a GPU. */
function trial(check: string, options: object) {
  const given = JSON.stringify({ device: 'cpu-xla', ...options });
  const { stdout } = spawnSync(process.execPath, [RUN_CHECK, check, given], { encoding: 'utf8' });
  return JSON.parse(stdout);
}

describe('the checks of check:gpu, run on a CPU,', () => {
  it('name the plugin', () => {
    expect(trial('plugin', { gpu: NO_GPU })).toMatchObject([
      { ok: true, detail: expect.stringContaining('PJRT C API 0.') },
    ]);
  });

  it('leave the attention kernels to NVIDIA’s GPUs', () => {
    expect(trial('attention', {})).toMatchObject([{ ok: true, figures: { used: false } }]);
  });

  it('find golden parity, outside and inside traced functions', () => {
    const [{ figures }] = trial('golden', {});
    expect(figures.modes.map(({ mode }: { mode: string }) => mode)).toEqual(['eager', 'xla']);
    for (const { logits, gradients, patches_identical } of figures.modes) {
      expect(logits).toBeLessThan(1e-4);
      expect(gradients).toBeLessThan(1e-3);
      expect(patches_identical).toBe(true);
    }
  });

  it('time a compiled step in bfloat16, and plan its memory', () => {
    const [step, memory] = trial('step', {
      gpu: NO_GPU,
      folder: join(work, 'blt'),
      ...SMALL_STEP,
    });
    expect(step.figures).toMatchObject({ precision: 'bfloat16', hash_vocab: 101, peak_source: 'measured' });
    expect(step.figures.bytes_per_second).toBeGreaterThan(0);
    expect(step.figures.losses.every(Number.isFinite)).toBe(true);
    expect(memory.figures.planned_bytes).toBeGreaterThan(0);
  });
});
