/** @module zstd for Node before 22.15, whose zlib has none: the reference decoder as WebAssembly. */
import { ZSTDDecoder } from 'zstddec/stream';
import { Unusable } from './refusal.js';

/** Larger windows are refused by the decoder, ZSTD_WINDOWLOG_LIMIT_DEFAULT. */
export const WASM_WINDOW_BYTES = 2 ** 27;

/**
 * A call of the decoder uses up its input or fills its output, and one more may end a frame. The library asks again after an error, for
 * ever, and gives nothing each time.
 */
const MAX_EMPTY_OUTPUTS = 3;

/**
 * @param frames chunks that end at the end of a frame or before, none empty.
 * @throws Unusable for damaged data, checksums included.
 */
export async function* throughZstdWasm(frames: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = frames[Symbol.asyncIterator]();
  try {
    const decoder = new ZSTDDecoder();
    await decoder.init();
    let next = await source.next();
    let isTaken = false;
    // The decoder reads without waiting, at most one chunk for each of its outputs: that one is there before it is asked.
    const chunks: Iterator<Uint8Array, undefined> = {
      next() {
        if (next.done === true) return { done: true, value: undefined };
        isTaken = true;
        return { done: false, value: next.value as Uint8Array };
      },
    };
    let emptyOutputs = 0;
    for (const bytes of decoder.decodeStreaming({ [Symbol.iterator]: () => chunks })) {
      emptyOutputs = bytes.length > 0 ? 0 : emptyOutputs + 1;
      if (emptyOutputs > MAX_EMPTY_OUTPUTS) throw new Unusable('its zstd data is damaged');
      if (isTaken) {
        next = await source.next();
        isTaken = false;
        emptyOutputs = 0;
      }
      if (bytes.length > 0) yield bytes;
    }
  } finally {
    await source.return?.();
  }
}
