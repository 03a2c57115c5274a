import { beforeAll, describe, expect, it } from 'vitest';
import { createVariable, startEngine, tf } from '../../../src/engine/index.js';
import { corrections, createParameterState, updateParameter } from '../../../src/finetune/optimizers/adamw.js';

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
  ])('with a learning-rate scale of %f and decay %s matches the published algorithm', (learningRateScale, decay) => {
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
