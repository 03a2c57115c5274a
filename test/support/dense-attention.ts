import type { AttentionShape } from '../../src/engine/triton/attention-kernels.js';

export type DenseShape = Omit<AttentionShape, 'type' | 'packed'>;

/** What one query sees. */
export interface SeenKeys {
  /** Where its channels begin in [rows, heads, length, headDim]. */
  readonly at: number;
  /** Its index in [rows, heads, length]. */
  readonly query: number;
  /** The sum of the exponentials of its scores. */
  readonly total: number;
  /** Each key's weight, and where its channels begin in [rows, kvHeads, length, headDim]. */
  readonly keys: readonly { readonly key: number; readonly weight: number }[];
}

/**
 * Causal attention as its definition says, in double precision: softmax(q kT), query by query. Query heads share key-value heads in groups.
 * @param documents of each position [rows, length]; null if each row is one
 */
export function* denseWeights(
  { rows, heads, kvHeads, length, headDim, window }: DenseShape,
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  documents: ArrayLike<number> | null,
): Generator<SeenKeys> {
  for (let head = 0; head < rows * heads; head++) {
    const row = Math.floor(head / heads) * length;
    const kvHead = Math.floor(head / (heads / kvHeads));
    for (let position = 0; position < length; position++) {
      const query = head * length + position;
      const at = query * headDim;
      const scored: { readonly key: number; readonly exponential: number }[] = [];
      for (let other = Math.max(0, position - window + 1); other <= position; other++) {
        if (documents !== null && documents[row + other] !== documents[row + position]) continue;
        const key = (kvHead * length + other) * headDim;
        let score = 0;
        for (let c = 0; c < headDim; c++) score += q[at + c]! * k[key + c]!;
        scored.push({ key, exponential: Math.exp(score) });
      }
      const total = scored.reduce((sum, { exponential }) => sum + exponential, 0);
      yield { at, query, total, keys: scored.map(({ key, exponential }) => ({ key, weight: exponential / total })) };
    }
  }
}

/** The result of `denseWeights` for values v. */
export function denseAttention(
  shape: DenseShape,
  [q, k, v]: readonly ArrayLike<number>[],
  documents: ArrayLike<number> | null,
): Float64Array {
  const out = new Float64Array(q!.length);
  for (const { at, keys } of denseWeights(shape, q!, k!, documents))
    for (const { key, weight } of keys) for (let c = 0; c < shape.headDim; c++) out[at + c]! += weight * v![key + c]!;
  return out;
}
