/** @module When a cut comes: at the end of a token, or one byte late, as all cuts of H-Net do (arXiv 2507.07955, appendix F). No TensorFlow. */

/** How an aligned patcher was taught to cut. */
export interface Alignment {
  readonly labels: 'hybrid' | 'end' | 'start';
  /** Hybrid: how probable a token's end must be to close a patch at it. */
  readonly endConfidence: number;
}

/**
 * Whether a patch that closes after a byte holds the first byte of the next token.
 * @param alignment null for a patcher that knows no tokens: its cuts are taken as they are.
 * @param endProbability that a token ends at that byte.
 */
export function isLateCut(alignment: Alignment | null, endProbability: number): boolean {
  if (alignment === null || alignment.labels === 'end') return false;
  return alignment.labels === 'start' || endProbability <= alignment.endConfidence;
}
