/** @module Messages from one that does not wait to one that does. */

export interface Mailbox<T> {
  push(message: T): void;
  /** No more messages come. */
  end(): void;
  /** No more messages come, for this reason, which the reader is thrown after what was pushed before. */
  fail(reason: unknown): void;
  /** Whether the reader broke off. */
  readonly abandoned: boolean;
  /** To be read once. */
  readonly messages: AsyncIterable<T>;
}

export function createMailbox<T>(): Mailbox<T> {
  const kept: T[] = [];
  let ended: { readonly reason: unknown } | 'cleanly' | null = null;
  let abandoned = false;
  let wake: () => void = () => undefined;
  const change = (how: () => void) => {
    if (ended !== null) return;
    how();
    wake();
  };
  async function* messages(): AsyncGenerator<T> {
    try {
      for (;;) {
        while (kept.length > 0) yield kept.shift()!;
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
    push: (message) => change(() => kept.push(message)),
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
    messages: messages(),
  };
}
