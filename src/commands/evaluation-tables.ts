/** @module A suite's results as a table for the terminal. */
import type { ResultDocument } from '../evaluate/index.js';
import { counted, measuredTable, renderTable } from '../ui/index.js';

/** What a reader must know beside the figures. */
function sentencesOf({ source, unspelled_count: unspelled, notes }: ResultDocument): string[] {
  const types = source?.quantised_types ?? [];
  return [
    ...(types.length > 0 ? [`The source's weights are quantised: ${types.join(', ')}.`] : []),
    ...(unspelled > 0
      ? [`Left out for both: ${counted(unspelled, 'item')} that the source's tokens cannot spell.`]
      : []),
    ...notes,
  ];
}

/** The table of a suite, below its name, and notes. Intervals contain 95 % of 1,000 bootstrap replicates. */
export function evaluationTables(result: ResultDocument): string {
  const { columns, rows } = measuredTable(result, result.suite);
  return [renderTable(columns, rows), ...sentencesOf(result).map((line) => `${line}\n`)].join('\n');
}
