/** @module The learning rate of a step. */

export interface Schedule {
  readonly steps: number;
  readonly learning_rate: number;
  readonly warmup_steps: number;
  readonly schedule: 'cosine' | 'constant';
  /** Where the cosine ends, of the peak. */
  readonly min_learning_rate_ratio: number;
}

/**
 * Linear warm-up to the peak, then a cosine that reaches its end at the last step, or the peak throughout (blt-format 5.3).
 * @param step counts from 1.
 */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { steps, learning_rate: peak, warmup_steps: warmup, min_learning_rate_ratio: floor } = schedule;
  if (step <= warmup) return (peak * step) / warmup;
  if (schedule.schedule === 'constant') return peak;
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  return peak * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
