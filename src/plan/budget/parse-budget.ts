/** @module A budget as typed: a time, such as `1h30m`, or an amount of work, such as `500T` FLOPs. */
import { UsageError } from '../../errors.js';
import { parseFlops } from '../parse-flops.js';

export type Budget =
  | { readonly unit: 'seconds'; readonly amount: number; readonly text: string }
  | { readonly unit: 'flops'; readonly amount: number; readonly text: string };

const SECONDS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;

/** Largest unit first, each at most once: 1d12h, 1h30m, 90s. */
const TIME = new RegExp(
  `^${Object.keys(SECONDS)
    .map((unit) => `(?:(\\d+(?:\\.\\d+)?)${unit})?`)
    .join('')}$`,
);
/** Smaller numbers without a unit are more likely to be a forgotten unit than FLOPs. */
const LEAST_FLOPS = 1e9;

/**
 * Reads a budget.
 * @throws Error whose message says what a budget must be, as `OptionSpec.parse` expects
 * @example parseBudget('1h30m') // { unit: 'seconds', amount: 5400, text: '1h30m' }
 * @example parseBudget('0.5P') // { unit: 'flops', amount: 5e14, text: '0.5P' }
 */
export function parseBudget(text: string): Budget {
  const time = TIME.exec(text);
  const seconds = Object.values(SECONDS).reduce((sum, size, i) => sum + size * Number(time?.[i + 1] ?? 0), 0);
  if (seconds > 0 && Number.isFinite(seconds)) return { unit: 'seconds', amount: seconds, text };
  const flops = parseFlops(text);
  if (flops !== null && flops >= LEAST_FLOPS) return { unit: 'flops', amount: flops, text };
  throw new Error('must be a time such as 30m, 8h or 1d12h, or FLOPs such as 500T or 5e14');
}

/** Whether two budgets are equal, however they were written. */
export function sameBudget(a: Budget, b: Budget): boolean {
  return a.unit === b.unit && a.amount === b.amount;
}

/**
 * A budget in FLOPs.
 * @param flopsPerSecond the rate that training sustains; null when unknown
 * @throws UsageError for a time when the rate is unknown
 */
export function budgetFlops({ unit, amount, text }: Budget, flopsPerSecond: number | null): number {
  if (unit === 'flops') return amount;
  if (flopsPerSecond !== null) return amount * flopsPerSecond;
  throw new UsageError(`--budget ${text} is a time, and the speed of this machine has not been measured.`, {
    hint: 'Run byteify setup, which measures it, or give the budget in FLOPs, such as --budget 500T.',
  });
}
