/** @module Section "Evaluation": each suite's chosen metric as a chart with intervals, and all its figures as a table. */
import type { ResultDocument } from '../../evaluate/index.js';
import { measuredTable, unspelledSentence } from '../../ui/index.js';
import { intervalChart, intervalOf, unitOf } from '../charts.js';
import { type Html, html, htmlTable } from '../html.js';
import type { ReportInputs } from '../report-inputs.js';
import type { Section } from './section.js';

/** Suites whose first metric is not the one that tells models apart. */
const CHARTED: Readonly<Record<string, string>> = {
  cute: 'label_bits_per_byte',
  g2p: 'label_bits_per_byte',
  choice: 'label_bits_per_byte',
  cost: 'megaflops_per_byte',
  noise: 'mean_ratio',
  translate: 'label_bits_per_byte',
};

/** The metric that a suite's chart shows. */
export const chartedMetric = ({ suite, metrics }: Pick<ResultDocument, 'suite' | 'metrics'>) =>
  metrics.find(({ name }) => name === CHARTED[suite]) ?? metrics[0];

function chart(result: ResultDocument): Html | null {
  const { suite, groups, source } = result;
  const metric = chartedMetric(result);
  if (metric === undefined) return null;
  const intervals = groups.flatMap(({ group, metrics: found }) => {
    const { model, source: other } = found[metric.name]!;
    return [
      ...intervalOf({ label: group, series: 'this model' }, model, metric),
      ...(other === null ? [] : intervalOf({ label: group, series: 'the source' }, other, metric)),
    ];
  });
  if (intervals.length === 0) return null;
  return intervalChart(
    `${suite}: ${metric.title}${source === null ? '' : ', beside the source'}`,
    unitOf(metric),
    intervals,
  );
}

function figures(result: ResultDocument): Html {
  const { columns, rows } = measuredTable(result, 'task');
  return htmlTable(
    columns.map(({ title }) => title),
    rows,
    columns.map(({ align }) => align),
  );
}

/** Null if no suite was run. */
export function suites({ results, outdated }: ReportInputs): Section | null {
  if (results.length === 0) return null;
  const parts = results.map(
    (result) => html`<section class="suite">
<h3>${result.suite}</h3>
${chart(result)}
<details><summary>All figures</summary>${figures(result)}</details>
${[...unspelledSentence(result), ...result.notes].map((note) => html`<p class="note">${note}</p>`)}
</section>\n`,
  );
  const old = results.filter(({ suite }) => outdated.includes(suite)).map(({ suite }) => suite);
  const warning =
    old.length === 0
      ? null
      : html`<p class="note">Measured before the last stage of training ended: ${old.join(', ')}. Run <code>byteify evaluate</code> again.</p>`;
  return {
    id: 'evaluation',
    title: 'Evaluation',
    body: html`<p>Lines are intervals that contain 95 % of 1,000 bootstrap replicates over items.</p>${warning}${parts}`,
  };
}
