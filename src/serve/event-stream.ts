/** @module Server-sent events to one client, which may read slowly, but not for ever and not at the cost of memory. */
import type { Limits } from './limits.js';

export interface EventStream {
  /** The body of the answer. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** @param data one line: JSON, or a word */
  send(data: string): void;
  /** After what was sent. */
  end(): void;
}

/**
 * What is sent waits here until the client takes it: all at once, so a client that falls behind catches up.
 * @param onGone called once when the client goes; the stream takes and keeps nothing more
 * @param onSlow called once, before `onGone`, when too much waits or has waited for too long
 */
export function createEventStream(
  limits: Pick<Limits, 'streamBytes' | 'stallMs'>,
  { onGone, onSlow }: { onGone: () => void; onSlow: () => void },
): EventStream {
  let waiting: Buffer<ArrayBuffer>[] = [];
  let waitingBytes = 0;
  let ended = false;
  let gone = false;
  let stall: NodeJS.Timeout | null = null;
  /** Answers the client that asks for more; null where it does not. */
  let pulled: (() => void) | null = null;
  let out!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

  function flush(): void {
    if (pulled === null) return;
    if (waiting.length > 0) out.enqueue(Buffer.concat(waiting));
    else if (ended) out.close();
    else return;
    forget();
    pulled();
    pulled = null;
  }

  function forget(): void {
    waiting = [];
    waitingBytes = 0;
    if (stall !== null) clearTimeout(stall);
    stall = null;
  }

  function leave(): void {
    if (gone) return;
    gone = true;
    forget();
    onGone();
  }

  function drop(): void {
    if (gone) return;
    onSlow();
    leave();
    pulled?.();
    out.close();
  }

  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        out = controller;
      },
      pull: () =>
        new Promise<void>((resolve) => {
          pulled = resolve;
          flush();
        }),
      cancel: leave,
    },
    // Nothing is taken ahead of the client.
    { highWaterMark: 0 },
  );

  return {
    body,
    send(data) {
      if (gone || ended) return;
      const event = Buffer.from(`data: ${data}\n\n`);
      waiting.push(event);
      waitingBytes += event.length;
      flush();
      if (waitingBytes > limits.streamBytes) drop();
      else if (waiting.length > 0) stall ??= setTimeout(drop, limits.stallMs);
    },
    end() {
      if (gone) return;
      ended = true;
      flush();
    },
  };
}
