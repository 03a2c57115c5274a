/** @module How many patches and tokens each row is padded to. The capacity is shared by all steps and rarely grows, since growing retraces the step. */

/** The capacity of each row. */
export interface Capacity {
  readonly patches: number;
  /** For the source's tokens; 0 if the source is not used. */
  readonly tokens: number;
}

/** The capacity of a run that begins. */
export const NO_CAPACITY: Capacity = { patches: 0, tokens: 0 };

/** A capacity grows to a multiple of STEP, with some spare room. */
const HEADROOM = 1.03;
const STEP = 8;

/** Returns the capacity unchanged if it holds `needed`, and a larger one otherwise. */
export function growCapacity(capacity: number, needed: number): number {
  return needed <= capacity ? capacity : Math.ceil((needed * HEADROOM) / STEP) * STEP;
}
