/** @module Input that is left out of a text store, and why. */

/** A file, folder or line that was left out. */
export interface Refusal {
  readonly path: string;
  /** The line in a JSON file, counted from 1. */
  readonly line?: number | undefined;
  readonly reason: string;
}

/** Refusals: all are counted, the first are listed. */
export interface Refusals {
  readonly listed: readonly Refusal[];
  readonly count: () => number;
  add(refusal: Refusal): void;
}

/** A wrong text key causes a refusal for every line of a corpus, so the list is bounded. */
const MAX_LISTED_REFUSALS = 10_000;

/** @param limit how many are listed */
export function collectRefusals(limit = MAX_LISTED_REFUSALS): Refusals {
  const listed: Refusal[] = [];
  let count = 0;
  return {
    listed,
    count: () => count,
    add(refusal) {
      if (count++ < limit) listed.push(refusal);
    },
  };
}

/** Thrown if a whole file is unusable. The message is a clause that begins with "it" or "its". */
export class Unusable extends Error {
  constructor(
    reason: string,
    /** The line of the fault, counted from 1. */
    readonly line?: number,
  ) {
    super(reason);
  }
}

/** Thrown for a file that is not valid to its end: none of it is used. */
export class BrokenFile extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.reason);
  }
}
