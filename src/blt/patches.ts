/**
 * @module Patch bookkeeping in the canonical form (blt-format 1.7). For N positions the starts are a sorted subset of 0..N. Positions 0 and
 * 1 always begin a patch (BOS is alone); t >= 2 begins one when the entropy of the prediction made at t - 1 exceeds the threshold.
 * A start equal to N means that the next byte, which does not exist yet, would begin a patch.
 */

/** Starts of the patches, ascending. @param entropies in nats, of the prediction made at each of N positions; @param threshold in nats. */
export function patchStarts(entropies: Float32Array, threshold: number): Int32Array {
  const starts = [0, 1];
  for (let t = 2; t <= entropies.length; t++) if (entropies[t - 1]! > threshold) starts.push(t);
  return Int32Array.from(starts);
}

/** Lengths of the patches. They sum to `count` + 1, and the first is 1. */
export function patchLengths(starts: Int32Array, count: number): Int32Array {
  return starts.map((start, i) => (starts[i + 1] ?? count + 1) - start);
}

export interface PatchIds {
  /** E(p) = number of starts <= p, minus one: the patch that position p is pooled into. */
  readonly encoder: Int32Array;
  /** D(p) = number of starts <= p + 1, minus two: the last patch that is closed at p, which p's prediction reads. */
  readonly decoder: Int32Array;
}

export function patchIds(starts: Int32Array, count: number): PatchIds {
  const encoder = new Int32Array(count);
  const decoder = new Int32Array(count);
  let started = 0;
  for (let p = 0; p < count; p++) {
    while (started < starts.length && starts[started]! <= p) started++;
    encoder[p] = started - 1;
    decoder[p] = started - (starts[started] === p + 1 ? 1 : 2);
  }
  return { encoder, decoder };
}
