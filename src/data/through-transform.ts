/** @module Passes bytes through one of zlib's transform streams. */
import type { Transform } from 'node:stream';

/**
 * Yields the output of the stream. Each chunk is consumed completely before the next is requested, so the source of the chunks can rely on
 * `bytesWritten`. Without chunks there is no output, since some zlib streams report an empty input as truncated. The stream is destroyed at
 * the end, and also if the consumer stops early.
 * @throws the stream's error, or whatever the chunks throw.
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
  let hasStarted = false;
  try {
    for await (const chunk of chunks) {
      hasStarted = true;
      let used = false;
      stream.write(chunk, () => {
        used = true;
        wake();
      });
      yield* outputUntil(() => used || ended);
    }
    if (!hasStarted) return;
    stream.end();
    yield* outputUntil(() => ended);
  } finally {
    stream.destroy();
  }
}
