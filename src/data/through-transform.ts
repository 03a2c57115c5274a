/** @module Bytes through a stream of Node's zlib. */
import type { Transform } from 'node:stream';

/**
 * Yields the output of the stream. Each chunk is used up before the next one is asked for, so the source of the chunks can rely on
 * `bytesWritten`. Without chunks there is no output: some streams of zlib would call an empty input truncated. The stream is destroyed at
 * the end, and when the consumer stops early.
 * @throws what the stream fails with, and what the chunks throw.
 */
export async function* throughTransform(
  stream: Transform,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let wake: () => void = () => undefined;
  let failure: Error | null = null;
  let ended = false;
  stream.on('readable', () => wake());
  stream.on('end', () => {
    ended = true;
    wake();
  });
  stream.on('error', (error) => {
    failure = error;
    wake();
  });
  async function* outputUntil(done: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      const bytes = stream.read() as Uint8Array | null;
      if (bytes !== null) {
        yield bytes;
        continue;
      }
      if (failure !== null) throw failure;
      if (done()) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  let isBegun = false;
  try {
    for await (const chunk of chunks) {
      isBegun = true;
      let used = false;
      stream.write(chunk, () => {
        used = true;
        wake();
      });
      yield* outputUntil(() => used || ended);
    }
    if (!isBegun) return;
    stream.end();
    yield* outputUntil(() => ended);
  } finally {
    stream.destroy();
  }
}
