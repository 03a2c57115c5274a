/** @module Warns on the terminal about input that was left out. */

import type { Reporter } from '../ui/index.js';
import type { Refusal } from './refusal.js';

/** How many refusals are named; the rest are only counted. */
const SHOWN_REFUSALS = 5;

/**
 * @param refused the refusals, or the first of them.
 * @param options.count the number of all refusals.
 * @param options.list the name of the file that lists the rest, if there is one.
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
