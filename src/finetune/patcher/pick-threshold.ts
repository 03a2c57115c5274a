/** @module Picks the patching threshold that gives a certain number of patches on held-out text, as the paper does (arXiv 2412.09871, section 4.3). */
import { ByteifyError } from '../../errors.js';

export interface Calibration {
  /** Nats. A new patch starts after each position whose entropy exceeds it. */
  readonly threshold: number;
  /** On the texts that it was picked on. */
  readonly bytesPerPatch: number;
}

/** The goal: a mean patch size, not counting BOS and its patch, or the total number of cuts in all texts. */
export type CutGoal = { readonly bytesPerPatch: number } | { readonly cuts: number };

/**
 * Picks a threshold halfway between two neighbouring entropies.
 * @param entropies of each text: entry i is the patcher's entropy when it predicts byte i. Byte 0 always starts a patch, so entry 0 has no
 * influence (docs/blt-format.md 1.7).
 * @throws ByteifyError when no threshold can reach the goal on these texts.
 */
export function calibrateThreshold(entropies: readonly Float32Array[], goal: CutGoal): Calibration {
  const texts = entropies.filter(({ length }) => length > 0);
  const byteCount = texts.reduce((sum, { length }) => sum + length, 0);
  const sorted = Float32Array.from(texts.flatMap((text) => Array.from(text.subarray(1))))
    .sort()
    .reverse();
  const target = 'cuts' in goal ? byteCount / (texts.length + goal.cuts) : goal.bytesPerPatch;
  const wanted = 'cuts' in goal ? goal.cuts : Math.round(byteCount / target) - texts.length;
  if (!(target >= 1) || wanted < 0 || sorted.length === 0) {
    throw new ByteifyError(`No threshold gives ${target} bytes per patch on these ${byteCount} held-out bytes.`, {
      hint: 'The target must be at least 1 and well below the length of a text. Otherwise provide more data.',
      exitCode: 2,
    });
  }
  const count = Math.min(wanted, sorted.length);
  // Halfway into the gap, so that another implementation's rounding does not move a boundary.
  const above = count === 0 ? sorted[0]! + 1 : sorted[count - 1]!;
  const below = count === sorted.length ? 0 : sorted[count]!;
  const threshold = (above + below) / 2;
  const cutCount = sorted.findLastIndex((entropy) => entropy > threshold) + 1;
  return { threshold, bytesPerPatch: byteCount / (texts.length + cutCount) };
}
