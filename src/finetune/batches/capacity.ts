/** @module How many patches and tokens a row is padded to. All steps share it until one needs more, since a step is traced anew whenever it grows. */

/** Capacity of each row. */
export interface Capacity {
  readonly patches: number;
  /** For the source's tokens; 0 where it is not read. */
  readonly tokens: number;
}

/** Before the first batch. */
export const NO_CAPACITY: Capacity = { patches: 0, tokens: 0 };

/** It grows to a multiple of STEP with some to spare. */
const SPARE = 1.03;
const STEP = 8;

/** A capacity that holds `needed`: the same one where that is enough. */
export function grown(capacity: number, needed: number): number {
  return needed <= capacity ? capacity : Math.ceil((needed * SPARE) / STEP) * STEP;
}
