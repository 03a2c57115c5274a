/** @module Chooses the steps of each stage from a number of FLOPs. Pure arithmetic. */
import { MAX_EPOCHS, type SteppedKind, sharesOf } from './shares.js';

/** A stage whose steps are chosen. */
export interface SteppedStage {
  readonly kind: SteppedKind;
  /** FLOPs of one step. */
  readonly stepFlops: number;
  /** Bytes of text that a step reads. */
  readonly stepBytes: number;
}

export interface ChosenSteps {
  /** Of each stage, at least 1. */
  readonly steps: readonly number[];
  /** FLOPs that are left: less than the last stage's step, unless the text is too short to use them. */
  readonly unspentFlops: number;
}

/** The FLOPs with which every stage can take a step. @param stages in the order in which they run, at least one. */
export function leastFlops(stages: readonly SteppedStage[]): number {
  const shares = sharesOf(stages.map(({ kind }) => kind));
  return Math.max(...stages.map(({ stepFlops }, i) => stepFlops / shares[i]!));
}

/**
 * Divides FLOPs among the stages by their shares. What a stage cannot use, because it has read the text `MAX_EPOCHS` times or because its share
 * is no whole number of steps, passes to the next stage.
 * @param stages in the order in which they run, at least one
 * @param flops at least `leastFlops(stages)`
 * @param textBytes bytes of training text; null for as much as the stages can read
 */
export function chooseSteps(stages: readonly SteppedStage[], flops: number, textBytes: number | null): ChosenSteps {
  const shares = sharesOf(stages.map(({ kind }) => kind));
  let passedOn = 0;
  const steps = stages.map(({ stepFlops, stepBytes }, i) => {
    const own = shares[i]! * flops + passedOn;
    const readable = textBytes === null ? Number.POSITIVE_INFINITY : Math.floor((MAX_EPOCHS * textBytes) / stepBytes);
    const count = Math.max(1, Math.min(Math.floor(own / stepFlops), readable));
    passedOn = own - count * stepFlops;
    return count;
  });
  return { steps, unspentFlops: Math.max(0, passedOn) };
}
