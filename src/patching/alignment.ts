/**
 * @module Where a cut is relative to the end of a token: at it, or one character late, as all cuts of H-Net are one byte late (arXiv 2507.07955,
 * appendix F). No TensorFlow.
 */

/** How a patcher was aligned with the source's tokens. */
export interface Alignment {
  /** A patch closes at a token's end, after the next token's first character, or (hybrid) at the end if that is certain enough, else after it. */
  readonly labels: 'hybrid' | 'end' | 'start';
  /** For hybrid labels: how probable the end of a token must be for a patch to close there. */
  readonly endConfidence: number;
}

/**
 * Whether the cut after a byte is late, so that the patch contains the first character of the next token.
 * @param alignment null for a patcher that is not aligned, whose cuts are never late
 * @param endProbability the probability that a token ends at that byte
 */
export function isLateCut(alignment: Alignment | null, endProbability: number): boolean {
  if (alignment === null || alignment.labels === 'end') return false;
  return alignment.labels === 'start' || endProbability <= alignment.endConfidence;
}
