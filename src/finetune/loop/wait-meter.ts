/** @module Measures the share of time that the training loop waits for data. */

export interface WaitMeter {
  /** Records a step: how long it took, and how much of that it waited for its batch. */
  add(waitedMs: number, elapsedMs: number): void;
  /** Averages over all steps except the first, which starts threads and traces functions. Empty until there are two steps. */
  metrics(): Readonly<Record<string, number>>;
}

export function createWaitMeter(): WaitMeter {
  let steps = 0;
  let waited = 0;
  let elapsed = 0;
  return {
    add(waitedMs, elapsedMs) {
      if (steps++ === 0) return;
      waited += waitedMs;
      elapsed += elapsedMs;
    },
    metrics: () => (elapsed === 0 ? {} : { data_wait_fraction: waited / elapsed }),
  };
}
