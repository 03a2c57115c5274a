/** @module How a budget is divided among the stages, and how often text may be read: the only numbers that --budget rests on. */
import type { StageKind } from '../../recipe/index.js';

/** What takes steps: the patcher's training, and every kind of stage but the closed form. */
export type SteppedKind = 'patcher' | Exclude<StageKind, 'closed-form'>;

/**
 * Each kind's share of the FLOPs that are left after fixed costs, in the order in which stages run; they add up to 1. After a closed form of
 * SmolLM2, `end-to-end` and `join` gained most for their operations, and `distill-decoder` nothing (docs/distillation.md). How much the patcher
 * should get has not been measured.
 */
export const SHARES: Readonly<Record<SteppedKind, number>> = {
  patcher: 0.2,
  'align-encoder': 0.03,
  'distill-decoder': 0.1,
  join: 0.07,
  'end-to-end': 0.6,
};

/** How often one stage may read the text: up to four epochs are almost as good as new text (Muennighoff et al. 2023, arXiv 2305.16264). */
export const MAX_EPOCHS = 4;

/**
 * The share of each stage. The share of a kind that is absent passes to the next kind that is present, or to the last one; stages of one kind
 * divide theirs equally.
 * @param kinds of the stages, at least one
 * @returns one share per stage; they add up to 1
 */
export function sharesOf(kinds: readonly SteppedKind[]): number[] {
  const present = (Object.keys(SHARES) as SteppedKind[]).filter((kind) => kinds.includes(kind));
  const last = present.at(-1)!;
  const shares = new Map<SteppedKind, number>(present.map((kind) => [kind, 0]));
  let passedOn = 0;
  for (const [kind, share] of Object.entries(SHARES) as [SteppedKind, number][]) {
    passedOn += share;
    if (!shares.has(kind)) continue;
    shares.set(kind, passedOn);
    passedOn = 0;
  }
  shares.set(last, shares.get(last)! + passedOn);
  return kinds.map((kind) => shares.get(kind)! / kinds.filter((other) => other === kind).length);
}
