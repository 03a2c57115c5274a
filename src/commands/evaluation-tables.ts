/** @module A suite's results as a table for the terminal. */
import type { ResultDocument } from '../evaluate/index.js';
import { measuredTable, renderTable, unspelledSentence } from '../ui/index.js';

/** What a reader must know beside the figures. */
function sentencesOf(result: ResultDocument): string[] {
  const { source, notes } = result;
  const types = source?.quantised_types ?? [];
  return [
    ...(types.length > 0 ? [`The source's weights are quantised: ${types.join(', ')}.`] : []),
    ...unspelledSentence(result),
    ...notes,
  ];
}

/** The table of a suite, below its name, and notes. Intervals contain 95 % of 1,000 bootstrap replicates. */
export function evaluationTables(result: ResultDocument): string {
  const { columns, rows } = measuredTable(result, result.suite);
  return [renderTable(columns, rows), ...sentencesOf(result).map((line) => `${line}\n`)].join('\n');
}
