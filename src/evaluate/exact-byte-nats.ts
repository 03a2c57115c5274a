/**
 * @module The exact probability of a text under a token model, by brute force over all its tokenisations (Phan et al. 2024, arXiv 2410.09303; Hayase
 * et al. 2025, arXiv 2506.14123): how far cheaper measures are from it. The time is exponential in the length, so texts must be short.
 */
import { linear, tf } from '../engine/index.js';
import { type LlamaModel, llamaHidden } from '../model/index.js';
import type { SortedVocabulary } from '../patching/index.js';

/** Next-token probabilities [vocabulary] after tokens. */
function distributionAfter(model: LlamaModel, ids: readonly number[]): Float32Array {
  return tf.tidy(() => {
    const { hidden, head } = llamaHidden(model, Int32Array.from(ids));
    const last = tf.slice(hidden, [ids.length - 1, 0], [1, -1]);
    return tf.softmax(linear(last, head) as tf.Tensor2D).dataSync() as Float32Array;
  });
}

/** The ordinary ids by the bytes that they spell, as latin1 text. */
function idsBySpelling({ order, ordinary, bytesAt }: SortedVocabulary): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (let rank = 0; rank < ordinary; rank++) {
    const spelling = Buffer.from(bytesAt(rank)).toString('latin1');
    found.set(spelling, [...(found.get(spelling) ?? []), order[rank]!]);
  }
  return found;
}

/**
 * Opens the computation of -log P(a text begins with these bytes), in nats: the sum over all sequences of tokens that cover the bytes, the last of
 * which may go beyond them. Texts must be short: n bytes take up to 2^(n - 1) forward passes. The engine must be started.
 * @param start the token before a text
 */
export function openExactNats(
  model: LlamaModel,
  vocabulary: SortedVocabulary,
  start: number,
): (bytes: Uint8Array) => number {
  const { order, boundsOf } = vocabulary;
  const spelled = idsBySpelling(vocabulary);
  const first = distributionAfter(model, [start]);
  return (bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    function probabilityFrom(ids: readonly number[], at: number): number {
      const probabilities = at === 0 ? first : distributionAfter(model, ids);
      // Tokens that cover what is left: those that begin with it, and those that are it.
      const bounds = boundsOf(bytes.subarray(at));
      let sum = 0;
      for (let rank = bounds[0]!; rank < bounds[256]!; rank++) sum += probabilities[order[rank]!]!;
      for (const id of spelled.get(text.slice(at)) ?? []) sum += probabilities[id]!;
      for (let end = at + 1; end < text.length; end++)
        for (const id of spelled.get(text.slice(at, end)) ?? [])
          sum += probabilities[id]! * probabilityFrom([...ids, id], end);
      return sum;
    }
    return -Math.log(probabilityFrom([start], 0));
  };
}
