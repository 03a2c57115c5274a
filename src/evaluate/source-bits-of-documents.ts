/** @module Measures the bits per byte of the source on documents of any length. */
import { bitsPerByte } from '../blt/index.js';
import { type LlamaModel, llamaLosses } from '../model/index.js';
import { startTokenOf } from '../patching/index.js';
import type { SourceTokenizer } from '../tokenizer/index.js';

export interface SourceBits {
  readonly bytes: number;
  /** Null if there are no bytes. */
  readonly bitsPerByte: number | null;
  /** Null if there are no bytes. */
  readonly bytesPerToken: number | null;
  /** Documents that the source's tokens do not spell, which are left out. */
  readonly unspelled: number;
}

export interface SourceBitsOptions {
  /** Maximum number of tokens that the source reads at a time; by default 2,048, or as many as it was made for. */
  readonly window?: number;
  /** Called with the number of bytes read so far. */
  readonly onBytes?: (bytes: number) => void;
  /** Checked between windows. */
  readonly signal?: AbortSignal;
}

const WINDOW_TOKENS = 2048;

/**
 * The source's tokens of a text; null if they do not spell it: `<unk>` is easier to predict than the bytes that it replaces.
 * @param text valid UTF-8
 */
function tokensThatSpell(tokenizer: SourceTokenizer, text: Uint8Array): readonly number[] | null {
  const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  const ids = tokenizer.encode(decoded);
  return tokenizer.spells(decoded, ids) ? ids : null;
}

/**
 * The negative log-likelihood, in nats, of all tokens but the first, read in windows that overlap by half: each token is predicted from at
 * least half a window of tokens, or from all that precede it.
 */
async function totalNats(model: LlamaModel, ids: Int32Array, window: number, signal?: AbortSignal): Promise<number> {
  let nats = 0;
  for (let done = 1; done < ids.length; ) {
    signal?.throwIfAborted();
    const begin = done === 1 ? 0 : done - Math.floor(window / 2);
    const end = Math.min(ids.length, begin + window);
    for (const loss of llamaLosses(model, ids.subarray(begin, end)).subarray(done - begin - 1)) nats += loss;
    done = end;
    await new Promise(setImmediate);
  }
  return nats;
}

/**
 * Scores each document after the source's start token, which is only context. The engine must be started.
 * @throws the signal's reason
 */
export async function sourceBitsOfDocuments(
  model: LlamaModel,
  tokenizer: SourceTokenizer,
  documents: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { window = Math.min(WINDOW_TOKENS, model.config.maxPositions), onBytes, signal }: SourceBitsOptions = {},
): Promise<SourceBits> {
  const start = startTokenOf(tokenizer, model.config);
  let [nats, bytes, tokens, unspelled] = [0, 0, 0, 0];
  for await (const document of documents) {
    const ids = tokensThatSpell(tokenizer, document);
    if (ids === null) {
      unspelled++;
      continue;
    }
    nats += await totalNats(model, Int32Array.from([start, ...ids]), window, signal);
    bytes += document.length;
    tokens += ids.length;
    onBytes?.(bytes);
  }
  if (bytes === 0) return { bytes, bitsPerByte: null, bytesPerToken: null, unspelled };
  return { bytes, bitsPerByte: bitsPerByte(nats, bytes), bytesPerToken: bytes / tokens, unspelled };
}
