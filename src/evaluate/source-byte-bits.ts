/**
 * @module The negative log-likelihood of each byte under the source: its next-token distribution, summed over the tokens that begin with the
 * bytes of the token so far (docs/distillation.md). The exact probability would also sum over other tokenisations of the text before (arXiv
 * 2410.09303).
 */
import { linear, tf, valuesOf } from '../engine/index.js';
import { type LlamaModel, llamaHidden } from '../model/index.js';
import type { SortedVocabulary } from '../patching/index.js';

/** A text as the tokens that the source reads. */
export interface TokenReading {
  /** Ranks: the start token, then the tokens of the text. */
  readonly tokens: readonly number[];
  /** The token of each byte, as an index into `tokens`, in ascending order. */
  readonly tokenOfByte: Int32Array;
  /** The number of bytes of its token that come before each byte. */
  readonly offsetInToken: Int32Array;
}

/** Distributions are computed for this many positions at a time: 256 x 128,256 floats are 131 MB. */
const POSITIONS = 256;
/** Minimum probability of a byte, so that a single byte that the source considers impossible does not dominate the sum. */
const MIN_PROBABILITY = 1e-30;

/**
 * -log q(byte), where q(b) = P(prefix b) / sum over b' of P(prefix b') in the state before the byte's token, and `prefix` is the bytes of the
 * token before the byte.
 * @returns nats [bytes]
 */
export function sourceByteNats(model: LlamaModel, vocabulary: SortedVocabulary, reading: TokenReading): Float32Array {
  const { tokens, tokenOfByte, offsetInToken } = reading;
  const { order } = vocabulary;
  const nats = new Float32Array(tokenOfByte.length);
  const below = new Float64Array(order.length + 1); // the total probability of all lower ranks

  function sumUp(probabilities: Float32Array): void {
    for (let rank = 0; rank < order.length; rank++) below[rank + 1] = below[rank]! + probabilities[order[rank]!]!;
  }

  /** The nats of a byte whose token is predicted by the distribution that was summed up last. */
  function natsOf(byte: number): number {
    const own = vocabulary.bytesAt(tokens[tokenOfByte[byte]!]!);
    const offset = offsetInToken[byte]!;
    const bounds = vocabulary.boundsOf(own.subarray(0, offset));
    const of = (first: number, last: number) => below[bounds[last]!]! - below[bounds[first]!]!;
    const value = own[offset]!;
    return -Math.log(Math.max(of(value, value + 1) / of(0, 256), MIN_PROBABILITY));
  }

  tf.tidy(() => {
    const ids = Int32Array.from(tokens, (rank) => order[rank]!);
    const { hidden, head } = llamaHidden(model, ids.subarray(0, -1));
    let byte = 0;
    for (let from = 0; from < ids.length - 1; from += POSITIONS) {
      const count = Math.min(POSITIONS, ids.length - 1 - from);
      const values = valuesOf(() => tf.softmax(linear(tf.slice(hidden, [from, 0], [count, -1]), head) as tf.Tensor2D));
      for (let i = 0; i < count; i++) {
        if (tokenOfByte[byte] !== from + i + 1) continue; // the token contains no bytes of the text
        sumUp(values.subarray(i * order.length, (i + 1) * order.length));
        while (tokenOfByte[byte] === from + i + 1) {
          nats[byte] = natsOf(byte);
          byte++;
        }
      }
    }
  });
  return nats;
}
