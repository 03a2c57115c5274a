/** @module One line of `byteify doctor`. */

export interface Check {
  readonly name: string;
  /** Whether conversions cannot run without it. */
  readonly required: boolean;
  readonly ok: boolean;
  /** What was found, or what is missing. */
  readonly detail: string;
  /** What to do about it; null when nothing needs to be done. */
  readonly mend: string | null;
}
