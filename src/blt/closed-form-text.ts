/** @module How much text a closed-form initialisation reads where there is little. */
import type { ClosedFormWork } from './closed-form-flops.js';

/** The most of the text that the source reads. The tables are fitted to the rest: what is fitted on their own text trusts them too much. */
const MAX_SOLVE_SHARE = 1 / 4;

type TextBytes = Pick<ClosedFormWork, 'textBytes' | 'solveBytes' | 'ngramBytes'>;

/** Limits what is read to the training text. @param trainBytes the size of the training text in bytes. */
export function closedFormText({ textBytes, solveBytes, ngramBytes }: TextBytes, trainBytes: number): TextBytes {
  const solve = Math.min(solveBytes, Math.floor(trainBytes * MAX_SOLVE_SHARE));
  const rest = trainBytes - solve;
  return { textBytes: Math.min(textBytes, rest), solveBytes: solve, ngramBytes: Math.min(ngramBytes, rest) };
}
