/** @module Scores texts of any length in strides, and many continuations of a prompt, which is read only once. */
import { encodeBytes, VOCAB_SIZE } from '../blt/index.js';
import { type Decoding, logSumExp, openDecoding, patchLengthsOf, type ResidentModel } from '../model/index.js';
import type { ByteScores } from './score.js';

export interface Scorer {
  /**
   * Scores every byte of a text. Only the global KV cache and the result grow with the text.
   * @param onProgress called with the number of bytes read @param signal checked between strides
   * @throws the signal's reason
   */
  score(
    text: Uint8Array,
    options?: { onProgress?: (bytes: number) => void; signal?: AbortSignal },
  ): Promise<ByteScores>;
  /** The negative log-likelihood, in nats, of every byte of each continuation, given the prompt and the bytes before it. */
  scoreContinuations(prompt: Uint8Array, continuations: readonly Uint8Array[]): Promise<Float32Array[]>;
  dispose(): void;
}

/** Bytes per stride: enough patches for fast matrix products in the latent global transformer. */
export const STRIDE = 2048;
/** The slot that reads a prompt, and the one that continues it. */
const [PROMPT, CONTINUATION] = [0, 1];

/** -log softmax(logits[row])[id], in nats. */
export function surprisal(logits: Float32Array, row: number, id: number): number {
  const at = logits.subarray(row * VOCAB_SIZE, (row + 1) * VOCAB_SIZE);
  return logSumExp(at) - at[id]!;
}

/** Opens a scorer. The engine must be started. The caller keeps `model`, which must stay open. @param options.stride bytes per stride */
export function openScorer(model: ResidentModel, options: { readonly stride?: number } = {}): Scorer {
  const { stride = STRIDE } = options;
  const mode = 'graph';
  const nothing: number[] = [];
  const opened = new Map<number, Decoding>();
  function decodingOf(slots: number): Decoding {
    const decoding = opened.get(slots) ?? openDecoding(model, { slots, mode, chunk: stride });
    opened.set(slots, decoding);
    return decoding;
  }

  return {
    async score(text, { onProgress, signal } = {}) {
      const ids = encodeBytes(text);
      const nllNats = new Float32Array(text.length);
      const entropyNats = new Float32Array(text.length);
      const decoding = decodingOf(1);
      decoding.reset(PROMPT);
      // No prediction follows the last byte, and the last patch ends with it in any case.
      for (let from = 0; from < text.length; from += stride) {
        signal?.throwIfAborted();
        const part = ids.subarray(from, Math.min(from + stride, text.length));
        const [output] = await decoding.read([part]);
        entropyNats.set(output!.entropies, from);
        for (let i = 0; i < part.length; i++) nllNats[from + i] = surprisal(output!.logits, i, ids[from + i + 1]!);
        onProgress?.(from + part.length);
      }
      return { nllNats, entropyNats, patchLengths: patchLengthsOf(decoding.state(PROMPT).ends, text.length + 1) };
    },
    async scoreContinuations(prompt, continuations) {
      const decoding = decodingOf(2);
      decoding.reset(PROMPT);
      const [read] = await decoding.read([encodeBytes(prompt), nothing]);
      const last = read!.logits.slice(-VOCAB_SIZE);
      const scores: Float32Array[] = [];
      for (const bytes of continuations) {
        const ids = encodeBytes(bytes, { bos: false });
        decoding.fork(PROMPT, CONTINUATION);
        const output = ids.length > 1 ? (await decoding.read([nothing, ids.subarray(0, -1)]))[1]! : { logits: last };
        scores.push(
          Float32Array.from(ids, (id, i) => (i === 0 ? surprisal(last, 0, id) : surprisal(output.logits, i - 1, id))),
        );
      }
      return scores;
    },
    dispose() {
      for (const decoding of opened.values()) decoding.dispose();
    },
  };
}
