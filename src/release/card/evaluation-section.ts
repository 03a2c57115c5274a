/** @module The results of `byteify evaluate` in a model card: between two comments, so that they can be replaced while the rest stays as it is. */
import type { ResultDocument } from '../../evaluate/index.js';
import { measuredRows, unspelledSentence, withInterval } from '../../ui/index.js';
import { code, escapeText, markdownTable } from './markdown.js';

const BEGIN = '<!-- evaluation: written by byteify evaluate, replaced when it runs again -->';
const END = '<!-- end of evaluation -->';

function table(result: ResultDocument): string {
  const hasSource = result.source !== null;
  const columns = ['task', 'items:', 'metric', 'this model:', ...(hasSource ? ['source:', 'retention:'] : [])];
  const rows = measuredRows(result).map(({ group, items, title, model, source, retention }) => [
    ...[escapeText(group), items, escapeText(title), withInterval(model)],
    ...(hasSource ? [withInterval(source), withInterval(retention)] : []),
  ]);
  return markdownTable(columns, rows);
}

/** What was measured, in the order of the suites. */
function sectionOf(results: readonly ResultDocument[]): string {
  const parts = results.map((result) => {
    const notes = [...unspelledSentence(result), ...result.notes].map(escapeText).join(' ');
    return `**${code(result.suite)}**\n\n${table(result)}${notes === '' ? '' : `\n\n${notes}`}`;
  });
  const about =
    'Measured by `byteify evaluate`, on the same bytes for both models; figures in brackets contain 95 % of 1,000 bootstrap replicates over items.';
  return [BEGIN, about, ...parts, END].join('\n\n');
}

/** Where the section belongs: before the heading after `## Results`, or at the end. */
function placeIn(card: string): number {
  const results = /^## Results$/m.exec(card);
  if (results === null) return card.length;
  const next = /^## /m.exec(card.slice(results.index + 3));
  return next === null ? card.length : results.index + 3 + next.index;
}

/** A card with the results in the place of earlier ones. @param results none removes the section */
export function withEvaluation(card: string, results: readonly ResultDocument[]): string {
  const [from, to] = [card.indexOf(BEGIN), card.indexOf(END)];
  const plain =
    from < 0 || to < from
      ? card
      : `${card.slice(0, from).trimEnd()}\n${card.slice(to + END.length).replace(/^\n/, '')}`;
  if (results.length === 0) return plain;
  const place = placeIn(plain);
  const after = plain.slice(place);
  return `${plain.slice(0, place).trimEnd()}\n\n${sectionOf(results)}\n${after === '' ? '' : `\n${after}`}`;
}
