/** @module Where a patcher cuts a text, and which cuts of an aligned patcher are late. No TensorFlow. */
import { type Alignment, isLateCut } from './alignment.js';

/** No patch closes after the byte. */
export const NO_CUT = 0;
/** A patch closes after the byte, at the end of a token. */
export const CUT_AT_END = 1;
/** A patch closes after the byte, which ends the first character of the next token. */
export const CUT_LATE = 2;

/**
 * @param output entropies in nats and, for an aligned patcher, the probabilities that a token ends [positions]: BOS, then the bytes
 * @returns NO_CUT, CUT_AT_END or CUT_LATE for each byte [positions - 1]; the last one depends on the byte that would follow the text
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
