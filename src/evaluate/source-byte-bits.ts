/**
 * @module The source's bits of each byte: its next-token distribution summed over the tokens that begin with the bytes read so far
 * (docs/distillation.md). The exact probability would also sum over other tokenisations of the text before (arXiv 2410.09303).
 */

import { linear, tf } from '../engine/index.js';
import { type LlamaModel, llamaHidden } from '../model/index.js';
import type { SortedVocabulary } from '../patching/index.js';

/** A text as tokens that the source reads. */
export interface TokenReading {
  /** Ranks: the start token, then the text's. */
  readonly tokens: readonly number[];
  /** Of each byte: its token, an index of `tokens`; it does not fall. */
  readonly tokenOfByte: Int32Array;
  /** Of each byte: how many bytes of its token come before it. */
  readonly offsetInToken: Int32Array;
}

/** Distributions are made for this many positions at a time: 256 x 128,256 floats are 131 MB. */
const POSITIONS = 256;
/** A byte that the source holds to be impossible costs this at most, so that one does not hide all others. */
const SMALLEST = 1e-30;

/**
 * -log q(byte), q(b) = P(prefix b) / sum over b' of P(prefix b'), from the state before the byte's token; prefix is what of the token comes
 * before the byte.
 * @returns nats [bytes].
 */
export function sourceByteNats(model: LlamaModel, vocabulary: SortedVocabulary, reading: TokenReading): Float32Array {
  const { tokens, tokenOfByte, offsetInToken } = reading;
  const { order } = vocabulary;
  const nats = new Float32Array(tokenOfByte.length);
  const below = new Float64Array(order.length + 1); // probability of all lower ranks

  function sumUp(probabilities: Float32Array): void {
    for (let rank = 0; rank < order.length; rank++) below[rank + 1] = below[rank]! + probabilities[order[rank]!]!;
  }

  /** Of a byte whose token is predicted by the distribution that was summed up last. */
  function natsOf(byte: number): number {
    const own = vocabulary.bytesAt(tokens[tokenOfByte[byte]!]!);
    const offset = offsetInToken[byte]!;
    const bounds = vocabulary.boundsOf(own.subarray(0, offset));
    const of = (first: number, last: number) => below[bounds[last]!]! - below[bounds[first]!]!;
    const value = own[offset]!;
    return -Math.log(Math.max(of(value, value + 1) / of(0, 256), SMALLEST));
  }

  tf.tidy(() => {
    const ids = Int32Array.from(tokens, (rank) => order[rank]!);
    const { hidden, head } = llamaHidden(model, ids.subarray(0, -1));
    let byte = 0;
    for (let from = 0; from < ids.length - 1; from += POSITIONS) {
      const count = Math.min(POSITIONS, ids.length - 1 - from);
      const rows = tf.tidy(() => tf.softmax(linear(tf.slice(hidden, [from, 0], [count, -1]), head) as tf.Tensor2D));
      const values = rows.dataSync() as Float32Array;
      rows.dispose();
      for (let i = 0; i < count; i++) {
        if (tokenOfByte[byte] !== from + i + 1) continue; // a token without bytes of the text
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
