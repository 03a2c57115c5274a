/** @module Shows how a budget was divided. */
import { humanBytes, humanDuration, humanFlops, renderTable } from '../../ui/index.js';
import type { DividedBudget } from './divide-budget.js';
import type { Budget } from './parse-budget.js';
import { MAX_EPOCHS } from './shares.js';

const right = (title: string) => ({ title, align: 'right' as const });
/** A remainder below this share of the budget is rounding to whole steps. */
const NOTABLE_SHARE = 0.02;

/**
 * A sentence about the budget, a table with a line per stage, and a sentence if the text is too short to use all of it.
 * @param flopsPerSecond the rate that training sustains; null when unknown
 */
export function renderBudget(budget: Budget, divided: DividedBudget, flopsPerSecond: number | null): string {
  const { flops, unspentFlops, textBytes, stages } = divided;
  const rate = flopsPerSecond === null ? '' : ` at ${Number((flopsPerSecond / 1e9).toPrecision(3))} GFLOP/s`;
  const amount = budget.unit === 'seconds' ? `${humanFlops(flops)}${rate}` : humanFlops(flops);
  const rows = stages.map(({ stage, steps, bytes, flops: work, seconds }) => [
    stage,
    steps === 0 ? '' : steps.toLocaleString('en'),
    humanBytes(bytes),
    textBytes === null ? '' : (bytes / textBytes).toFixed(2),
    humanFlops(work),
    seconds === null ? '' : humanDuration(seconds),
  ]);
  const left =
    unspentFlops > NOTABLE_SHARE * flops
      ? `${humanFlops(unspentFlops)} are left over: no stage reads the text more than ${MAX_EPOCHS} times, so more text is needed to use them.\n`
      : '';
  return `The budget of ${budget.text} is ${amount}. The steps of each stage:\n${renderTable(
    [{ title: 'stage' }, right('steps'), right('text'), right('epochs'), right('work'), right('time')],
    rows,
  )}${left}`;
}
