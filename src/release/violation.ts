/** @module A violated requirement, which prevents an export from being published. */

export interface Violation {
  /** Says in one sentence what is missing or wrong. */
  readonly sentence: string;
  /** Says how to fix it. */
  readonly hint: string;
}
