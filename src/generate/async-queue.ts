/** @module An asynchronous queue from a producer that never waits to a consumer that does. */

export interface AsyncQueue<T> {
  push(item: T): void;
  /** Ends the queue. */
  end(): void;
  /** Ends the queue with an error, which the reader gets after all items pushed before. */
  fail(reason: unknown): void;
  /** Whether the reader stopped early. */
  readonly abandoned: boolean;
  /** The items, which can be read once. */
  readonly items: AsyncIterable<T>;
}

export function createAsyncQueue<T>(): AsyncQueue<T> {
  const queued: T[] = [];
  let ended: { readonly reason: unknown } | 'cleanly' | null = null;
  let abandoned = false;
  let wake: () => void = () => undefined;
  const change = (how: () => void) => {
    if (ended !== null) return;
    how();
    wake();
  };
  async function* items(): AsyncGenerator<T> {
    try {
      for (;;) {
        while (queued.length > 0) yield queued.shift()!;
        if (ended === 'cleanly') return;
        if (ended !== null) throw ended.reason;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      abandoned = ended === null;
    }
  }
  return {
    push: (item) => change(() => queued.push(item)),
    end: () =>
      change(() => {
        ended = 'cleanly';
      }),
    fail: (reason) =>
      change(() => {
        ended = { reason };
      }),
    get abandoned() {
      return abandoned;
    },
    items: items(),
  };
}
