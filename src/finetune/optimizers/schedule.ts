/** @module The learning rate of a step. */

/** What follows the warm-up: the share of the way down at a share of the steps. */
const DECAYS = {
  cosine: (progress: number) => 0.5 * (1 - Math.cos(Math.PI * progress)),
  linear: (progress: number) => progress,
  constant: () => 0,
} as const;

export interface Schedule {
  readonly steps: number;
  readonly learning_rate: number;
  readonly warmup_steps: number;
  readonly schedule: keyof typeof DECAYS;
  /** Where cosine and line end, of the peak. */
  readonly min_learning_rate_ratio: number;
}

/**
 * Linear warm-up to the peak, then a cosine or a line that reaches its end at the last step, or the peak throughout.
 * The paper has the cosine (arXiv 2412.09871, section 4.8).
 * @param step counts from 1.
 */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { steps, learning_rate: peak, warmup_steps: warmup, min_learning_rate_ratio: floor } = schedule;
  if (step <= warmup) return (peak * step) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  return peak * (1 - (1 - floor) * DECAYS[schedule.schedule](progress));
}
