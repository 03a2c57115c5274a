/** @module One line of `byteify doctor`. */

export interface Check {
  readonly name: string;
  /** Without it no conversion runs here. */
  readonly required: boolean;
  readonly ok: boolean;
  /** What was found, or what is missing. */
  readonly detail: string;
  /** What to do about it; null when nothing needs doing. */
  readonly mend: string | null;
}
