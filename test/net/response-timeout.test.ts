import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { retryingFetch } from '../../src/net/retrying-fetch.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const PIECES = 5;
const MINUTE_MS = 60_000;

/** A server that takes a piece of the body every so often, and answers when it has all; a connection that is given up throws. */
function takingEvery(ms: number) {
  const taken: number[] = [];
  const once: typeof fetch = async (_input, init) => {
    taken.push(0);
    for await (const _piece of (init!.body as Blob).stream()) {
      taken[taken.length - 1]! += 1;
      const waited = new Promise((resolve) => setTimeout(resolve, ms));
      await vi.advanceTimersByTimeAsync(ms);
      await waited;
      init!.signal!.throwIfAborted();
    }
    return new Response('');
  };
  return { taken, once };
}

/** A body that is read in pieces, as a file is. */
class Pieces extends Blob {
  override stream() {
    let left = PIECES;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(new Uint8Array(1));
        else controller.close();
      },
    }) as ReturnType<Blob['stream']>;
  }
}

const put = (once: typeof fetch) =>
  retryingFetch({ fetch: once, sleep: async () => undefined })('http://storage/x', {
    method: 'PUT',
    body: new Pieces([]),
  });

it('a body may take any time as long as it makes progress', async () => {
  const { taken, once } = takingEvery(MINUTE_MS - 1000);
  expect((await put(once)).status).toBe(200);
  expect(taken).toEqual([PIECES]);
});

it('a stalled body is aborted, and sent again from its beginning', async () => {
  const { taken, once } = takingEvery(MINUTE_MS + 1000);
  await expect(put(once)).rejects.toThrow('no response within 60 s');
  expect(taken).toEqual([1, 1, 1, 1, 1, 1]);
});
