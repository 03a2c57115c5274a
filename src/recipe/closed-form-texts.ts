/** @module How much text a closed-form stage reads, by the names that plans and fits use. */
import type { StageOf } from './schema.js';

/** The bytes that a closed-form stage asks for; there may be less text (`closedFormText`). */
export const wantedTexts = ({ text_bytes, solve_bytes, ngram_bytes }: StageOf<'closed-form'>) => ({
  textBytes: text_bytes,
  solveBytes: solve_bytes,
  ngramBytes: ngram_bytes,
});
