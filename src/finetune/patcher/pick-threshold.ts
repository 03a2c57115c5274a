/** @module Picks the patching threshold that gives a wanted number of patches on held-out text, as the paper does (arXiv 2412.09871, section 4.3). */
import { ByteifyError } from '../../errors.js';

export interface Calibration {
  /** Nats; a patch begins after a position whose entropy is above it. */
  readonly threshold: number;
  /** On the texts it was picked on. */
  readonly bytesPerPatch: number;
}

/** What a threshold is picked for: a mean patch size, BOS and its patch not counted, or a number of cuts in all texts together. */
export type CutGoal = { readonly bytesPerPatch: number } | { readonly cuts: number };

/**
 * @param entropies of each text: entry i is the patcher's entropy of its prediction of byte i. Byte 0 always begins a patch, so
 * entry 0 decides nothing (blt-format 1.7).
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
    throw new ByteifyError(`No threshold gives ${target} bytes a patch on these ${byteCount} held-out bytes.`, {
      hint: 'The target must be at least 1 and well below the length of a text; give more data.',
      exitCode: 2,
    });
  }
  const count = Math.min(wanted, sorted.length);
  // Half-way into the gap: rounding in another implementation does not move a boundary.
  const above = count === 0 ? sorted[0]! + 1 : sorted[count - 1]!;
  const below = count === sorted.length ? 0 : sorted[count]!;
  const threshold = (above + below) / 2;
  const begun = sorted.findLastIndex((entropy) => entropy > threshold) + 1;
  return { threshold, bytesPerPatch: byteCount / (texts.length + begun) };
}
