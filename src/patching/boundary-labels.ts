/** @module Where an aligned patcher's patches should close, from bytes that are already there (docs/distillation.md). No TensorFlow. */
import type { Alignment } from './alignment.js';

/**
 * 1 where a patch should close after a byte [bytes]: at a token's end, one byte after it, or at whichever is sure first.
 * @param ends 1 where a token ends at a byte. @param endProbabilities the patcher's own, of the same; read for hybrid labels alone.
 */
export function boundaryLabels(
  { labels, endConfidence }: Alignment,
  ends: Uint8Array,
  endProbabilities: Float32Array,
): Uint8Array {
  if (labels === 'end') return ends.slice();
  const sure = (i: number) => labels === 'hybrid' && endProbabilities[i]! > endConfidence;
  return ends.map((_, i) => (sure(i) || (i > 0 && ends[i - 1] === 1 && !sure(i - 1)) ? 1 : 0));
}
