import { mkdtempSync, rmSync } from 'node:fs';
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patchLengths, patchStarts } from '../../src/blt/index.js';
import { createVariable, startEngine, tf } from '../../src/engine/index.js';
import { clipScale, globalNorm } from '../../src/finetune/loop/gradients.js';
import { openMetrics } from '../../src/finetune/loop/metrics-log.js';
import { fileVersionRecord, maskedCrc } from '../../src/finetune/loop/tfevents.js';
import { corrections, createParameterState, updateParameter } from '../../src/finetune/optimizers/adamw.js';
import { learningRateAt } from '../../src/finetune/optimizers/schedule.js';
import { calibrateThreshold } from '../../src/finetune/patcher/pick-threshold.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-finetune-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await startEngine({ threads: 2 });
});

describe('AdamW', () => {
  const OPTIONS = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 } as const;

  /** The algorithm in double precision (Loshchilov and Hutter 2019, algorithm 2). */
  function reference(value: number, gradients: readonly number[], rate: number, decay: boolean): number {
    let [x, m, v] = [value, 0, 0];
    gradients.forEach((gradient, i) => {
      const t = i + 1;
      m = 0.9 * m + 0.1 * gradient;
      v = 0.95 * v + 0.05 * gradient * gradient;
      if (decay) x *= 1 - rate * 0.1;
      x -= (rate * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.95 ** t)) + 1e-8);
    });
    return x;
  }

  const scalarsOf = (step: number, rate: number) => {
    const [learningRate, firstCorrection, secondCorrection, gradientScale] = [
      rate,
      ...corrections(step, OPTIONS.betas),
      1,
    ].map((value) => tf.scalar(value)) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    return { learningRate, firstCorrection, secondCorrection, gradientScale };
  };

  it.each([
    [1, true],
    [0.1, false],
  ])('with a rate scaled by %f and decay %s equals the algorithm', (learningRateScale, decay) => {
    const start = [0.5, -2, 3];
    const gradients = [
      [0.1, -4, 0],
      [0.3, 1, 1e-4],
      [-0.2, 2, -5],
    ];
    const parameter = createParameterState('w', createVariable(tf.tensor1d(start)), {
      learningRateScale,
      decay,
      optimizer: 'adamw',
    });
    gradients.forEach((gradient, i) => {
      tf.tidy(() => updateParameter(parameter, tf.tensor1d(gradient), scalarsOf(i + 1, 0.05), OPTIONS));
    });
    const wanted = start.map((value, i) =>
      reference(
        value,
        gradients.map((gradient) => gradient[i]!),
        0.05 * learningRateScale,
        decay,
      ),
    );
    const found = parameter.value.read().dataSync();
    for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 5);
  });
});

describe('clipping', () => {
  it('scales to the limit by the norm of all gradients together, and only then', () => {
    const norm = globalNorm([tf.tensor1d([3, 0]), tf.tensor2d([[4]])]);
    expect(norm.dataSync()[0]).toBeCloseTo(5, 5);
    expect(clipScale(norm, 1).dataSync()[0]).toBeCloseTo(0.2, 5);
    expect(clipScale(norm, 10).dataSync()[0]).toBe(1);
  });
});

describe('the learning rate', () => {
  const schedule = {
    steps: 100,
    learning_rate: 1,
    warmup_steps: 10,
    schedule: 'cosine',
    min_learning_rate_ratio: 0.1,
  } as const;
  it('warms up in a line, peaks, and falls by a cosine to its floor', () => {
    expect([1, 5, 10].map((step) => learningRateAt(step, schedule))).toEqual([0.1, 0.5, 1]);
    expect(learningRateAt(55, schedule)).toBeCloseTo(0.55, 12);
    expect(learningRateAt(100, schedule)).toBeCloseTo(0.1, 12);
    expect(learningRateAt(500, schedule)).toBeCloseTo(0.1, 12);
  });
  it('falls in a line to its floor', () => {
    const linear = { ...schedule, schedule: 'linear' } as const;
    // from 1 at step 10 to 0.1 at step 100: a hundredth a step
    const rates = [10, 11, 55, 100, 500].map((step) => learningRateAt(step, linear));
    for (const [i, rate] of [1, 0.99, 0.55, 0.1, 0.1].entries()) expect(rates[i]).toBeCloseTo(rate, 12);
    expect(learningRateAt(5, linear)).toBe(0.5);
  });
  it('stays at its peak when constant, and needs no warm-up', () => {
    expect(learningRateAt(99, { ...schedule, schedule: 'constant' })).toBe(1);
    expect(learningRateAt(1, { ...schedule, warmup_steps: 0, steps: 1 })).toBeCloseTo(0.1, 12);
  });
});

describe('calibration', () => {
  it('cuts as many patches as it says, near the target', () => {
    const text = fc
      .array(fc.float({ min: 0, max: 5, noNaN: true }), { minLength: 20, maxLength: 80 })
      .map((some) => Float32Array.from(some));
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 1.5, max: 6, noNaN: true }),
        (texts, target) => {
          const { threshold, bytesPerPatch } = calibrateThreshold(texts, { bytesPerPatch: target });
          // Positions of BOS and bytes: the last one's entropy decides about a byte that is not there.
          const patches = texts.map((entropies) => {
            const lengths = patchLengths(patchStarts(entropies, threshold), entropies.length);
            return lengths.length - 1;
          });
          const bytes = texts.reduce((sum, { length }) => sum + length, 0);
          expect(bytes / patches.reduce((a, b) => a + b)).toBeCloseTo(bytesPerPatch, 9);
          const distinct = new Set(texts.flatMap((entropies) => [...entropies])).size === bytes;
          if (distinct) expect(Math.abs(bytes / bytesPerPatch - Math.round(bytes / target))).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it.each([0.5, 1000])('refuses a target of %f bytes a patch in words', (target) => {
    expect(() => calibrateThreshold([new Float32Array(50).fill(1)], { bytesPerPatch: target })).toThrow(
      /No threshold gives/,
    );
  });
});

describe('metrics', () => {
  it('of steps after the checkpoint are dropped when a run goes on, and a torn last line too', async () => {
    const run = mkdtempSync(join(folder, 'run-'));
    const first = await openMetrics(run, 0);
    for (const step of [0, 1, 2, 3]) await first.write(step, { loss: step });
    await first.close();
    await appendFile(join(run, 'metrics.jsonl'), '{"step":4,"lo');
    const second = await openMetrics(run, 2);
    await second.write(3, { loss: 33 });
    await second.close();
    const lines = (await readFile(join(run, 'metrics.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ step, loss }) => [step, loss])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 33],
    ]);
    expect((await readdir(run)).some((name) => name.startsWith('events.out.tfevents.'))).toBe(true);
  });

  it('are framed as TensorFlow’s records are', () => {
    // CRC-32C of "123456789" is e3069283 (RFC 3720, appendix B.4); masked as record_writer.cc does
    expect(maskedCrc(new TextEncoder().encode('123456789'))).toBe(
      (((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0,
    );
    const record = fileVersionRecord(1);
    expect(new DataView(record.buffer).getBigUint64(0, true)).toBe(BigInt(record.length - 16));
  });
});
