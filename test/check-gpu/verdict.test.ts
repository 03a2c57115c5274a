import { describe, expect, it } from 'vitest';
import { resultsOf } from '../../scripts/check-gpu/children.mjs';
import {
  documentOf,
  exitCodeOf,
  failed,
  judgeGolden,
  judgeMemory,
  judgeStep,
  lineOf,
} from '../../scripts/check-gpu/verdict.mjs';

const mode = { mode: 'xla', patchesIdentical: true, entropies: 2e-6, logits: 4e-6, loss: 1e-6, gradients: 3e-6 };

describe('golden parity', () => {
  it('passes within the limits', () => {
    const { ok, detail } = judgeGolden([mode]);
    expect(ok).toBe(true);
    expect(detail).toBe('xla: logits within 4.0e-6, gradients within 3.0e-6; patches identical');
  });

  it.each([
    [{ logits: 2e-4 }, 'logits differ by 2.0e-4'],
    [{ gradients: Number.NaN }, 'gradients differ by NaN'],
    [{ patchesIdentical: false }, 'patches differ'],
  ])('fails with %j', (change, said) => {
    const { ok, detail } = judgeGolden([mode, { ...mode, mode: 'eager', ...change }]);
    expect(ok).toBe(false);
    expect(detail).toContain(`eager: ${said}`);
  });

  it('fails if nothing was compared', () => {
    expect(judgeGolden([]).ok).toBe(false);
  });
});

describe('the compiled step', () => {
  const timed = {
    rows: 4,
    rowBytes: 4096,
    bytesPerPatch: 4,
    hashVocab: 20_002,
    parameters: 1.19e9,
    flopsPerByte: 2e9,
    firstMs: 90_000,
    steps: [110, 100, 90].map((ms) => ({ ms, bytes: 16_380, loss: 5.5 })),
  };
  const peak = { flopsPerSecond: 989e12, source: 'stated' as const };

  it('reports the bytes per second of the median step, and their share of the peak', () => {
    const { ok, detail, figures } = judgeStep(timed, peak, 700e12);
    expect(ok).toBe(true);
    expect(figures.bytes_per_second).toBe(163_800);
    expect(figures.share_of_peak).toBeCloseTo((163_800 * 2e9) / 989e12, 9);
    expect(detail).toBe(
      '163,800 bytes/s, 33.1 % of 989 TFLOP/s (stated peak, dense bfloat16), 100 ms per step of 4 x 4096 bytes; 1.19 G parameters, hash tables of 20,002 rows',
    );
  });

  it('rejects a rate above the peak, and a loss that is not a number', () => {
    expect(judgeStep({ ...timed, flopsPerByte: 1e11 }, peak, 1).ok).toBe(false);
    const steps = timed.steps.map((step) => ({ ...step, loss: Number.NaN }));
    expect(judgeStep({ ...timed, steps }, peak, 1).ok).toBe(false);
    expect(judgeStep({ ...timed, steps: [] }, peak, 1).ok).toBe(false);
  });
});

describe('the memory plan', () => {
  const measured = (bytes: number) => ({ bytes, how: 'nvidia-smi' });
  it.each([
    [10e9, 10e9, true, '+0.0 %'],
    [11e9, 10e9, true, '+10.0 %'],
    [8.6e9, 10e9, true, '-14.0 %'],
    [12e9, 10e9, false, '+20.0 %, more than 15.0 % off'],
    [8e9, 10e9, false, '-20.0 %, more than 15.0 % off'],
  ])('is judged for %d planned and %d measured bytes', (planned, found, ok, said) => {
    const result = judgeMemory(planned, measured(found));
    expect(result.ok).toBe(ok);
    expect(result.detail.endsWith(`(nvidia-smi): ${said}`)).toBe(true);
  });

  it('fails when nothing was measured', () => {
    expect(judgeMemory(1e9, null)).toMatchObject({ ok: false, figures: { planned_bytes: 1e9 } });
  });
});

describe('the report', () => {
  const fine = { name: 'plugin', ok: true, detail: '0.114', figures: {} };

  it('has one line per check', () => {
    expect(lineOf(fine)).toBe('ok      plugin:         0.114');
    expect(lineOf(failed('plugin', 'one\n  two'))).toBe('failed  plugin:         one two');
  });

  it('sets exit code 0 if all checks passed, and 1 if one failed or none ran', () => {
    expect([exitCodeOf([fine]), exitCodeOf([fine, failed('a', 'b')]), exitCodeOf([])]).toEqual([0, 1, 1]);
  });

  it('is one JSON document with --json', () => {
    expect(documentOf(null, [], 'nvidia-smi was not found')).toEqual({
      gpu: null,
      reason: 'nvidia-smi was not found',
      passed: false,
      checks: [],
    });
  });
});

describe('a check’s own process', () => {
  const names = ['compiled step', 'memory plan'];
  const said = { names, answer: '', stderr: '', ended: 'its process ended with SIGSEGV' };

  it('returns its results, whatever else it printed', () => {
    expect(resultsOf({ ...said, answer: `noise\n${JSON.stringify([{ name: 'a', ok: true }])}\n` })).toEqual([
      { name: 'a', ok: true },
    ]);
  });

  it('fails each result with the reason, or with its exit and last output', () => {
    const refused = resultsOf({ ...said, answer: '{"error":"out of memory"}' });
    expect(refused.map(({ name, ok, detail }) => [name, ok, detail])).toEqual([
      ['compiled step', false, 'out of memory'],
      ['memory plan', false, 'out of memory'],
    ]);
    const [died] = resultsOf({ ...said, stderr: 'F0000 CUDA error\n' });
    expect(died?.detail).toBe('its process ended with SIGSEGV: F0000 CUDA error');
  });
});
