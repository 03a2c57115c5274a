/** @module Decompresses zstd: all frames of a file, which is never taken for whole where it breaks off. */
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { Unusable } from './refusal.js';
import { throughTransform } from './through-transform.js';
import { createZstdFrames, type ZstdFramesOptions } from './zstd-frames.js';

/** What @types/node of Node 20 does not know yet. */
interface ZlibWithZstd {
  readonly createZstdDecompress: (options: { params: Readonly<Record<number, number>> }) => Transform;
  readonly constants: { readonly ZSTD_d_windowLogMax: number };
}

interface Decoder extends ZstdFramesOptions {
  /** @param frames chunks that end at the end of a frame or before. */
  decode(frames: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}

/** What `zstd --long=31` asks for, and the most that the format's reference decoder takes. Only what is used of it costs memory. */
const MAX_WINDOW_LOG = 31;

function nativeDecoder({ createZstdDecompress, constants }: ZlibWithZstd): Decoder {
  return {
    maxWindowBytes: 2 ** MAX_WINDOW_LOG,
    wideRemedy: 'zstd decoders support at most 2 GiB; recompress it with a smaller one',
    decode: (frames) =>
      throughTransform(createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG } }), frames),
  };
}

/** zlib has zstd from Node 22.15 and 23.8 on. */
async function decoderHere(): Promise<Decoder> {
  if ('createZstdDecompress' in zlib) return nativeDecoder(zlib as unknown as ZlibWithZstd);
  const { throughZstdWasm, WASM_WINDOW_BYTES } = await import('./zstd-wasm.js');
  return {
    maxWindowBytes: WASM_WINDOW_BYTES,
    wideRemedy: `Node ${process.versions.node} decodes at most 128 MiB here; use Node 22.15 or newer, or decompress it first (zstd -d --long=31)`,
    decode: throughZstdWasm,
  };
}

/** @throws Unusable for an archive that breaks off or cannot be decoded here; an error of zlib for what is damaged. */
export async function* unzstd(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = await decoderHere();
  const frames = createZstdFrames(decoder);
  async function* wholeFrames(): AsyncGenerator<Uint8Array> {
    for await (const chunk of stored) yield* frames.push(chunk);
    if (!frames.whole()) throw new Unusable('its zstd data is truncated');
  }
  yield* decoder.decode(wholeFrames());
}
