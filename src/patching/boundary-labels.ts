/** @module Where the patches of an aligned patcher should close, judged from bytes already read (docs/distillation.md). No TensorFlow. */
import type { Alignment } from './alignment.js';
import { characterStarts, INSIDE } from './characters.js';

/**
 * Labels [bytes]: 1 if a patch should close after the byte, else 0. A patch closes at the end of a token, after the first character of the next
 * token, or (hybrid) at the end if the patcher is certain of it and after that character otherwise. No patch should close inside a character, even
 * if a token ends there.
 * @param bytes of the text, which may be cut anywhere
 * @param ends 1 for bytes at which a token ends, else 0
 * @param endProbabilities the patcher's probability that a token ends at the byte; used only for hybrid labels
 */
export function boundaryLabels(
  { labels, endConfidence }: Alignment,
  { bytes, ends }: { readonly bytes: Uint8Array; readonly ends: Uint8Array },
  endProbabilities: Float32Array,
): Uint8Array {
  const starts = characterStarts(bytes);
  const completes = (i: number) => starts[i] !== INSIDE;
  if (labels === 'end') return ends.map((end, i) => (completes(i) ? end : 0));
  const isCertain = (i: number) => labels === 'hybrid' && completes(i) && endProbabilities[i]! > endConfidence;
  /** Whether a token ends at the byte, and no cut there says so. */
  const isOpen = (i: number) => i >= 0 && completes(i) && ends[i] === 1 && !isCertain(i);
  return ends.map((_, i) => (isCertain(i) || (completes(i) && isOpen(starts[i]! - 1)) ? 1 : 0));
}
