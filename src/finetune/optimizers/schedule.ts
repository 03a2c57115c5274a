/** @module Learning-rate schedules. */

/** For each schedule, the share of the decay that is done at a share of the steps after the warm-up. */
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
  /** The final learning rate as a share of the peak, for the cosine and linear schedules. */
  readonly min_learning_rate_ratio: number;
}

/**
 * The learning rate of a step: a linear warm-up to the peak, followed by a cosine or linear decay that ends at the last step, or by the constant peak.
 * The paper uses the cosine (arXiv 2412.09871, section 4.8).
 * @param step counts from 1.
 */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { steps, learning_rate: peak, warmup_steps: warmup, min_learning_rate_ratio: floor } = schedule;
  if (step <= warmup) return (peak * step) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  return peak * (1 - (1 - floor) * DECAYS[schedule.schedule](progress));
}
