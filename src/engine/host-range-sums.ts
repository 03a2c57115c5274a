/** @module Sums over ranges of a row in plain JavaScript, for backends without float64 tensors. */

/** The inputs of `rangeSums` as arrays: probabilities [T, width], rows [N], bounds [N, B + 1]. */
export interface RangeArrays {
  readonly probabilities: ArrayLike<number>;
  readonly width: number;
  readonly rows: ArrayLike<number>;
  readonly bounds: ArrayLike<number>;
}

/** Sums of contiguous ranges, [N, B]: each value of a range is added once, in float64. */
export function hostRangeSums({ probabilities, width, rows, bounds }: RangeArrays): Float32Array {
  const ends = bounds.length / rows.length;
  const ranges = ends - 1;
  const out = new Float32Array(rows.length * ranges);
  for (let n = 0; n < rows.length; n++) {
    const row = rows[n]! * width;
    for (let b = 0; b < ranges; b++) {
      let sum = 0;
      for (let v = bounds[n * ends + b]!; v < bounds[n * ends + b + 1]!; v++) sum += probabilities[row + v]!;
      out[n * ranges + b] = sum;
    }
  }
  return out;
}
