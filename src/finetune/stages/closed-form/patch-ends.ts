/** @module The ends of patches, from which the encoder's fit draws. They are kept in memory. No TensorFlow. */
import type { HashConfig } from '../../../blt/index.js';
import { rowsOfText, rowsPerPosition } from './ngram-rows.js';
import type { Observations } from './observations.js';
import type { ObservedText } from './residual-backoff.js';

/** The ends of patches, and what is wanted there. */
export interface PatchEnds {
  readonly count: number;
  /** The rows of the tables that each reads [count * rowsPerPosition]. */
  readonly rows: Int32Array;
  /** The row of `vectors` that is wanted [count]. */
  readonly vector: Int32Array;
  /** The longest n-gram that is known [count]. */
  readonly known: Float64Array;
  /** The weight of each [count]. */
  readonly weight: Float32Array;
  /** Of all tokens [tokens, content]. */
  readonly vectors: Float32Array;
}

const isEnd = ({ vector, weight }: ObservedText, position: number): boolean => vector[position]! >= 0 && weight !== 0;

/** Collects the ends in the order of the texts. */
export async function collectEnds(seen: Observations, hash: HashConfig): Promise<PatchEnds> {
  let count = 0;
  for await (const text of seen.texts()) for (const position of text.vector.keys()) if (isEnd(text, position)) count++;
  const stride = rowsPerPosition(hash);
  const ends = {
    ...{ count, rows: new Int32Array(count * stride), vector: new Int32Array(count) },
    ...{ known: new Float64Array(count), weight: new Float32Array(count) },
  };
  let vectors: Float32Array = new Float32Array(0);
  let end = 0;
  for await (const text of seen.texts()) {
    vectors = text.vectors;
    const rows = rowsOfText(text.ids, hash);
    for (const [position, vector] of text.vector.entries()) {
      if (!isEnd(text, position)) continue;
      ends.rows.set(rows.subarray(position * stride, (position + 1) * stride), end * stride);
      ends.vector[end] = vector;
      ends.known[end] = text.isWhole ? Number.POSITIVE_INFINITY : position + 1;
      ends.weight[end] = text.weight;
      end++;
    }
  }
  return { ...ends, vectors };
}
