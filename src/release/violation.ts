/** @module What stands between an export and its publication. */

export interface Violation {
  /** One sentence that says what is missing or wrong. */
  readonly sentence: string;
  /** What to do about it. */
  readonly hint: string;
}
