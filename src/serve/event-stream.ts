/** @module Server-sent events for one client. The client may read slowly, within limits on time and memory. */
import type { Limits } from './limits.js';

export interface EventStream {
  /** The response body. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** @param data one line: JSON, or a word */
  send(data: string): void;
  /** Ends the stream after the events sent so far. */
  end(): void;
}

/**
 * Buffers events until the client reads them, and then delivers all of them at once, so that a slow client catches up.
 * @param onGone called once when the client disconnects; the stream then accepts and buffers nothing more
 * @param onSlow called once, before `onGone`, when the buffer is too large or has been unread for too long
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
  /** Resolves the client's pending read; null if there is none. */
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
    // Queue nothing ahead of the client.
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
