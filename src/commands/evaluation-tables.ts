/** @module A suite's results as a table for the terminal. */
import type { ResultDocument } from '../evaluate/index.js';
import { counted, type FigureText, measuredRows, renderTable } from '../ui/index.js';

const cells = ({ value, interval }: FigureText): string[] => [value, interval];

const rowsOf = (result: ResultDocument): string[][] =>
  measuredRows(result).map(({ group, items, title, model, source, retention }) => {
    const beside = result.source === null ? [] : [...cells(source), ...cells(retention)];
    return [group, items, title, ...cells(model), ...beside];
  });

/** What a reader must know beside the figures. */
function sentencesOf({ source, unspelled_count: unspelled, notes }: ResultDocument): string[] {
  const types = source?.quantised_types ?? [];
  return [
    ...(types.length > 0 ? [`The source's weights are quantised: ${types.join(', ')}.`] : []),
    ...(unspelled > 0
      ? [`The source was not measured on ${counted(unspelled, 'item')} that its tokens cannot spell.`]
      : []),
    ...notes,
  ];
}

/** The table of a suite, below its name, and notes. Intervals contain 95 % of 1,000 bootstrap replicates. */
export function evaluationTables(result: ResultDocument): string {
  const right = (title: string) => ({ title, align: 'right' as const });
  const columns = [{ title: result.suite }, right('items'), { title: 'metric' }, right('model'), right('95 %')];
  if (result.source !== null) columns.push(...['source', '95 %', 'retention', '95 %'].map(right));
  return [renderTable(columns, rowsOf(result)), ...sentencesOf(result).map((line) => `${line}\n`)].join('\n');
}
