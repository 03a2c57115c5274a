/** @module Names on the terminal what of the text was left out. */

import type { Reporter } from '../ui/index.js';
import type { Refusal } from './refusal.js';

/** How many refusals are named; the others are counted. */
const SHOWN_REFUSALS = 5;

/**
 * @param refused what was left out, or the first of it.
 * @param options.count how much was left out in all.
 * @param options.list names the file that lists what is not named here, where there is one.
 */
export function warnRefused(
  reporter: Pick<Reporter, 'warn'>,
  refused: readonly Refusal[],
  { count, list }: { count: number; list?: string },
): void {
  for (const { path, line, reason } of refused.slice(0, SHOWN_REFUSALS)) {
    reporter.warn(`${path}${line === undefined ? '' : `:${line}`} was left out: ${reason}`);
  }
  const others = count - SHOWN_REFUSALS;
  if (others > 0) reporter.warn(`${others} more were left out${list === undefined ? '' : `; ${list} lists them`}`);
}
