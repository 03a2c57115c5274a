import { describe, expect, it } from 'vitest';
import { learningRateAt } from '../../../src/finetune/optimizers/schedule.js';

describe('the learning rate', () => {
  const schedule = {
    steps: 100,
    learning_rate: 1,
    warmup_steps: 10,
    schedule: 'cosine',
    min_learning_rate_ratio: 0.1,
  } as const;

  it('warms up linearly to its peak and follows a cosine down to its minimum', () => {
    expect([1, 5, 10].map((step) => learningRateAt(step, schedule))).toEqual([0.1, 0.5, 1]);
    expect(learningRateAt(55, schedule)).toBeCloseTo(0.55, 12);
    expect(learningRateAt(100, schedule)).toBeCloseTo(0.1, 12);
    expect(learningRateAt(500, schedule)).toBeCloseTo(0.1, 12);
  });

  it('decays linearly to its minimum', () => {
    const linear = { ...schedule, schedule: 'linear' } as const;
    // From 1 at step 10 to 0.1 at step 100: 0.01 per step.
    const rates = [10, 11, 55, 100, 500].map((step) => learningRateAt(step, linear));
    for (const [i, rate] of [1, 0.99, 0.55, 0.1, 0.1].entries()) expect(rates[i]).toBeCloseTo(rate, 12);
    expect(learningRateAt(5, linear)).toBe(0.5);
  });

  it('stays at its peak with the constant schedule, and works without a warm-up', () => {
    expect(learningRateAt(99, { ...schedule, schedule: 'constant' })).toBe(1);
    expect(learningRateAt(1, { ...schedule, warmup_steps: 0, steps: 1 })).toBeCloseTo(0.1, 12);
  });
});
