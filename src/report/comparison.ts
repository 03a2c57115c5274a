/** @module Several conversions side by side: what was made, and the suites that they were evaluated by, each on the same items. */
import { basename, resolve } from 'node:path';
import { measuredBytesPerPatch } from '../conversion/index.js';
import type { ResultDocument } from '../evaluate/index.js';
import {
  type Figure,
  type FigureFormat,
  figureText,
  humanDuration,
  RETENTION_FORMAT,
  withInterval,
} from '../ui/index.js';
import { intervalChart, intervalOf, unitOf } from './charts.js';
import { type Html, html, htmlTable } from './html.js';
import type { ReportInputs } from './report-inputs.js';
import { chartedMetric } from './sections/suites.js';

/** A quantity by conversion. */
export interface ComparisonRow {
  readonly label: string;
  /** As text; empty where something was not measured. */
  readonly cells: readonly string[];
  /** The same, unrounded, with the interval of a figure; null where something was not measured. */
  readonly values: readonly (string | number | Figure | null)[];
}

export interface Comparison {
  /** One per conversion. */
  readonly names: readonly string[];
  readonly rows: readonly ComparisonRow[];
  /** What cannot be compared, and why. */
  readonly notes: readonly string[];
}

/** Folder names, with more of the path where two are equal. */
function namesOf(inputs: readonly ReportInputs[]): string[] {
  const short = inputs.map(({ dir }) => basename(resolve(dir)));
  return short.map((name, i) => (short.filter((other) => other === name).length > 1 ? inputs[i]!.dir : name));
}

/** A quantity of one conversion, as a value and as a cell. */
const fact = <T extends string | number>(value: T | undefined, text: (value: T) => string) => ({
  value: value ?? null,
  cell: value === undefined ? '' : text(value),
});
const fixed = (decimals: number) => (value: number) => value.toFixed(decimals);

function factsOf({ manifest }: ReportInputs): Readonly<Record<string, ReturnType<typeof fact>>> {
  const { finetune } = manifest.stages;
  const { validation_bits_per_byte: own, source_bits_per_byte: source } = finetune?.metrics ?? {};
  const seconds = Object.values(manifest.stages).reduce((sum, stage) => sum + stage.seconds, 0);
  const retention = own === undefined || source === undefined ? undefined : source / own;
  return {
    recipe: fact(manifest.recipe?.name, String),
    'bits per byte of its held-out text': fact(own, fixed(4)),
    'the source’s': fact(source, fixed(4)),
    retention: fact(retention, (share) => `${(100 * share).toFixed(1)} %`),
    'bytes per patch': fact(measuredBytesPerPatch(manifest), fixed(2)),
    'working time': fact(seconds, humanDuration),
  };
}

interface SuiteOf {
  readonly name: string;
  /** By conversion; null where the suite was not run, or on other items than the first. */
  readonly results: readonly (ResultDocument | null)[];
}

function suitesOf(inputs: readonly ReportInputs[], names: readonly string[]) {
  const notes: string[] = [];
  const found = [...new Set(inputs.flatMap(({ results }) => results.map(({ suite }) => suite)))].sort();
  const suites = found.map((name): SuiteOf => {
    const all = inputs.map(({ results }) => results.find(({ suite }) => suite === name) ?? null);
    const first = all.find((result) => result !== null)!;
    const results = all.map((result, i) => {
      // Only figures of the same items can be compared.
      if (result === null || result.items_sha256 === first.items_sha256) return result;
      notes.push(`${names[i]} was evaluated by ${name} on other items, so its figures are left out.`);
      return null;
    });
    return { name, results };
  });
  return { suites, notes };
}

/** The figures of a group by the metric that its suite is charted by. */
function figureOf(result: ResultDocument | null, group: string) {
  if (result === null) return null;
  const metric = chartedMetric(result);
  const found = result.groups.find((one) => one.group === group)?.metrics[metric?.name ?? ''];
  return metric === undefined || found === undefined
    ? null
    : { metric, figure: found.model, retention: found.retention };
}

const groupsOf = ({ results }: SuiteOf) => [
  ...new Set(results.flatMap((result) => result?.groups.map(({ group }) => group) ?? [])),
];

function figureRow(label: string, figures: readonly (Figure | null)[], format: FigureFormat): ComparisonRow {
  return { label, cells: figures.map((figure) => withInterval(figureText(figure, format))), values: figures };
}

function suiteRows(suite: SuiteOf): ComparisonRow[] {
  return groupsOf(suite).flatMap((group) => {
    const found = suite.results.map((result) => figureOf(result, group));
    const metric = found.find((one) => one !== null)?.metric;
    if (metric === undefined) return [];
    const label = `${suite.name}, ${group}: ${metric.title}`;
    const retained = found.map((one) => one?.retention ?? null);
    return [
      figureRow(
        label,
        found.map((one) => one?.figure ?? null),
        metric,
      ),
      ...(retained.some((one) => one?.value != null)
        ? [figureRow(`${label}, retained`, retained, RETENTION_FORMAT)]
        : []),
    ];
  });
}

/** @param inputs of at least one conversion */
function comparisonOf(inputs: readonly ReportInputs[]): Comparison & { readonly suites: readonly SuiteOf[] } {
  const names = namesOf(inputs);
  const facts = inputs.map(factsOf);
  const rows = Object.keys(facts[0]!).map((label) => {
    const own = facts.map((some) => some[label]!);
    return { label, cells: own.map(({ cell }) => cell), values: own.map(({ value }) => value) };
  });
  const { suites, notes: differing } = suitesOf(inputs, names);
  const outdated = inputs.flatMap(({ outdated: suites }, i) =>
    suites.length === 0
      ? []
      : [`${names[i]} was trained on after it was evaluated by ${suites.join(', ')}: run byteify evaluate again.`],
  );
  const notes = [...differing, ...outdated];
  return { names, rows: [...rows, ...suites.flatMap(suiteRows)], notes, suites };
}

/** @param inputs of at least one conversion */
export const compare = (inputs: readonly ReportInputs[]): Comparison => comparisonOf(inputs);

function suiteChart(suite: SuiteOf, names: readonly string[]): Html | null {
  const intervals = groupsOf(suite).flatMap((label) =>
    suite.results.flatMap((result, i) => {
      const found = figureOf(result, label);
      return found === null ? [] : intervalOf({ label, series: names[i]! }, found.figure, found.metric);
    }),
  );
  const first = suite.results.find((result) => result !== null);
  if (intervals.length === 0 || first == null) return null;
  const metric = chartedMetric(first)!;
  return intervalChart(`${suite.name}: ${metric.title}`, unitOf(metric), intervals);
}

/** The body of the page that compares conversions. */
export function comparisonBody(inputs: readonly ReportInputs[]): Html {
  const { names, rows, notes, suites } = comparisonOf(inputs);
  const charts = suites.map((suite) => suiteChart(suite, names));
  const cells = rows.map(({ label, cells: own }) => [label, ...own]);
  return html`<section id="table"><h2>Side by side</h2>
${htmlTable(['', ...names], cells, ['left', ...names.map(() => 'right' as const)])}
${notes.map((note) => html`<p class="note">${note}</p>`)}
<p class="note">Held-out text differs between conversions of different corpora. Suites stand side by side only where they asked the same.</p></section>
<section id="suites"><h2>Suites</h2>${charts}</section>`;
}
