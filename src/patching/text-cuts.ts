/** @module Where a patcher cuts a text, and what each cut means to an aligned one. No TensorFlow. */
import { type Alignment, isLateCut } from './alignment.js';

/** What happens behind a byte. */
export const NO_CUT = 0;
/** A patch closes at it. */
export const CUT_AT_END = 1;
/** A patch closes at it that holds its successor's first byte: the byte itself. */
export const CUT_LATE = 2;

/**
 * @param output entropies in nats and, of an aligned patcher, probabilities of a token's end [positions]: BOS, then the bytes.
 * @returns what happens behind each byte [positions - 1]; the last one's cut is of a byte that is not there.
 */
export function textCuts(
  output: { readonly entropies: Float32Array; readonly endProbabilities: Float32Array | null },
  threshold: number,
  alignment: Alignment | null,
): Uint8Array {
  const { entropies, endProbabilities } = output;
  return Uint8Array.from({ length: entropies.length - 1 }, (_, i) => {
    if (!(entropies[i + 1]! > threshold)) return NO_CUT;
    return isLateCut(alignment, endProbabilities?.[i + 1] ?? 0) ? CUT_LATE : CUT_AT_END;
  });
}
