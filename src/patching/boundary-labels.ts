/** @module Where the patches of an aligned patcher should close, judged from bytes already read (docs/distillation.md). No TensorFlow. */
import type { Alignment } from './alignment.js';

/**
 * Labels [bytes]: 1 if a patch should close after the byte, else 0. A patch closes at the end of a token, one byte after it, or (hybrid) at the
 * end if the patcher is certain of it and one byte after it otherwise.
 * @param ends 1 for bytes at which a token ends, else 0
 * @param endProbabilities the patcher's probability that a token ends at the byte; used only for hybrid labels
 */
export function boundaryLabels(
  { labels, endConfidence }: Alignment,
  ends: Uint8Array,
  endProbabilities: Float32Array,
): Uint8Array {
  if (labels === 'end') return ends.slice();
  const isCertain = (i: number) => labels === 'hybrid' && endProbabilities[i]! > endConfidence;
  return ends.map((_, i) => (isCertain(i) || (i > 0 && ends[i - 1] === 1 && !isCertain(i - 1)) ? 1 : 0));
}
