/** @module What is left out of a store, and why. */

/** Something that was left out. */
export interface Refusal {
  readonly path: string;
  /** Of a file of JSON; counts from 1. */
  readonly line?: number | undefined;
  readonly reason: string;
}

/** Why a file as a whole cannot be used: a sentence that begins with "it", or with what is its own. */
export class Unusable extends Error {
  constructor(
    reason: string,
    /** Where in the file that shows; counts from 1. */
    readonly line?: number,
  ) {
    super(reason);
  }
}

/** A file that cannot be read to its end as what it claims to be: nothing of it is used. */
export class BrokenFile extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.reason);
  }
}
