/** @module The share of its time that a loop waits for data. */

export interface WaitMeter {
  /** One step: how long it waited for its batch, of how long it took. */
  add(waitedMs: number, elapsedMs: number): void;
  /** Over all steps but the first, in which threads start and functions are traced; nothing before the second. */
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
