/** @module Runs tasks in parallel; the first failure stops the others. */

/**
 * Processes the items in order, at most `limit` at a time. The first failure aborts the others through their signal, and is rethrown after
 * all have ended.
 * @throws the first error; or the reason of `signal` if it stopped the work.
 */
export async function inParallel<Item>(
  items: readonly Item[],
  { limit, signal }: { limit: number; signal?: AbortSignal | undefined },
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const left = items.values();
  const errors: unknown[] = [];
  async function take(): Promise<void> {
    for (const item of left) {
      if (stop.aborted) return;
      try {
        await work(item, stop);
      } catch (error) {
        errors.push(error);
        failed.abort();
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, take));
  if (errors.length > 0) throw errors[0];
  signal?.throwIfAborted();
}
