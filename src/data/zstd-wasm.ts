/** @module zstd for Node before 22.15, whose zlib lacks it: the reference decoder compiled to WebAssembly. */
import { ZSTDDecoder } from 'zstddec/stream';
import { Unusable } from './refusal.js';

/** The decoder rejects larger windows (ZSTD_WINDOWLOG_LIMIT_DEFAULT). */
export const WASM_WINDOW_BYTES = 2 ** 27;

/**
 * A call of the decoder consumes its input or fills its output, and one more call may end a frame. After an error the library calls the
 * decoder forever without output, so that many empty outputs in a row mean damage.
 */
const MAX_EMPTY_OUTPUTS = 3;

/**
 * Decompresses zstd frames.
 * @param frames non-empty chunks, none of which crosses the end of a frame.
 * @throws Unusable if the data is damaged, including by its checksums.
 */
export async function* throughZstdWasm(frames: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = frames[Symbol.asyncIterator]();
  try {
    const decoder = new ZSTDDecoder();
    await decoder.init();
    let next = await source.next();
    let isConsumed = false;
    // The decoder reads synchronously, at most one chunk per output, so the next chunk is fetched before the decoder is called.
    const chunks: Iterator<Uint8Array, undefined> = {
      next() {
        if (next.done === true) return { done: true, value: undefined };
        isConsumed = true;
        return { done: false, value: next.value as Uint8Array };
      },
    };
    let emptyOutputs = 0;
    for (const bytes of decoder.decodeStreaming({ [Symbol.iterator]: () => chunks })) {
      emptyOutputs = bytes.length > 0 ? 0 : emptyOutputs + 1;
      if (emptyOutputs > MAX_EMPTY_OUTPUTS) throw new Unusable('its zstd data is damaged');
      if (isConsumed) {
        next = await source.next();
        isConsumed = false;
        emptyOutputs = 0;
      }
      if (bytes.length > 0) yield bytes;
    }
  } finally {
    await source.return?.();
  }
}
