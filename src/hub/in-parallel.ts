/** @module A few tasks at once, all or nothing. */

/**
 * Works through the items in their order, `limit` at a time. The first failure stops the others through their signal; what it threw is
 * thrown when all have ended.
 * @throws also the reason of `signal`, when that stopped the work.
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
