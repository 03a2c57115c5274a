/** @module Decompresses zstd: all frames of a file. A truncated file is never accepted as complete. */
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { Unusable } from './refusal.js';
import { throughTransform } from './through-transform.js';
import { createZstdFrames, type ZstdFramesOptions } from './zstd-frames.js';

/** Members that Node 20's @types/node lacks. */
interface ZlibWithZstd {
  readonly createZstdDecompress: (options: { params: Readonly<Record<number, number>> }) => Transform;
  readonly constants: { readonly ZSTD_d_windowLogMax: number };
}

interface Decoder extends ZstdFramesOptions {
  /** @param frames chunks, none of which crosses the end of a frame. */
  decode(frames: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

/** The window of `zstd --long=31`, the maximum of the reference decoder. Only the part that is used takes memory. */
const MAX_WINDOW_LOG = 31;

function nativeDecoder({ createZstdDecompress, constants }: ZlibWithZstd): Decoder {
  return {
    maxWindowBytes: 2 ** MAX_WINDOW_LOG,
    wideRemedy: 'zstd decoders support at most 2 GiB; recompress it with a smaller one',
    decode: (frames) =>
      throughTransform(createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG } }), frames),
  };
}

/** Node's zlib has zstd since 22.15 and 23.8; older versions use WebAssembly. */
async function decoderHere(): Promise<Decoder> {
  if ('createZstdDecompress' in zlib) return nativeDecoder(zlib as unknown as ZlibWithZstd);
  const { throughZstdWasm, WASM_WINDOW_BYTES } = await import('./zstd-wasm.js');
  return {
    maxWindowBytes: WASM_WINDOW_BYTES,
    wideRemedy: `Node ${process.versions.node} decodes at most 128 MiB here; use Node 22.15 or newer, or decompress it first (zstd -d --long=31)`,
    decode: throughZstdWasm,
  };
}

/**
 * Decompresses all zstd frames.
 * @throws Unusable if the data is truncated or this decoder cannot decode it; zlib's error if it is damaged.
 */
export async function* unzstd(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = await decoderHere();
  const frames = createZstdFrames(decoder);
  async function* wholeFrames(): AsyncGenerator<Uint8Array> {
    for await (const chunk of stored) yield* frames.push(chunk);
    if (!frames.whole()) throw new Unusable('its zstd data is truncated');
  }
  yield* decoder.decode(wholeFrames());
}
