/** @module Several conversions side by side: what was made, and the suites that they were evaluated by, each on the same items. */
import { basename, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ResultDocument } from '../evaluate/index.js';
import { figureText, humanDuration } from '../ui/index.js';
import { intervalChart, intervalOf, unitOf } from './charts.js';
import { type Html, html, htmlTable } from './html.js';
import type { ReportInputs } from './report-inputs.js';
import { chartedMetric } from './sections/suites.js';

export interface Comparison {
  /** One per conversion. */
  readonly names: readonly string[];
  /** Cells by conversion; empty where something was not measured. */
  readonly rows: readonly { readonly label: string; readonly cells: readonly string[] }[];
  /** What cannot be compared, and why. */
  readonly notes: readonly string[];
}

/** Folder names, with more of the path where two are equal. */
function namesOf(inputs: readonly ReportInputs[]): string[] {
  const short = inputs.map(({ dir }) => basename(resolve(dir)));
  return short.map((name, i) => (short.filter((other) => other === name).length > 1 ? inputs[i]!.dir : name));
}

const fixed = (value: number | undefined, decimals: number) => value?.toFixed(decimals) ?? '';

function factsOf({ manifest }: ReportInputs): Readonly<Record<string, string>> {
  const { finetune, patcher } = manifest.stages;
  const { validation_bits_per_byte: own, source_bits_per_byte: source } = finetune?.metrics ?? {};
  const seconds = Object.values(manifest.stages).reduce((sum, stage) => sum + stage.seconds, 0);
  return {
    recipe: manifest.recipe?.name ?? '',
    'bits per byte of its held-out text': fixed(own, 4),
    'the source’s': fixed(source, 4),
    retention: own === undefined || source === undefined ? '' : `${((100 * source) / own).toFixed(1)} %`,
    'bytes per patch': fixed(finetune?.metrics.validation_bytes_per_patch ?? patcher?.metrics.bytes_per_patch, 2),
    'working time': humanDuration(seconds),
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
      if (result === null || isDeepStrictEqual(result.options, first.options)) return result;
      notes.push(`${names[i]} was evaluated by ${name} on other items, so its figures are left out.`);
      return null;
    });
    return { name, results };
  });
  return { suites, notes };
}

/** The metric of a group that a suite is charted by. */
function figureOf(result: ResultDocument | null, group: string) {
  if (result === null) return null;
  const metric = chartedMetric(result);
  const found = result.groups.find((one) => one.group === group)?.metrics[metric?.name ?? ''];
  return metric === undefined || found === undefined ? null : { metric, figure: found.model };
}

const groupsOf = ({ results }: SuiteOf) => [
  ...new Set(results.flatMap((result) => result?.groups.map(({ group }) => group) ?? [])),
];

function suiteRows(suite: SuiteOf) {
  return groupsOf(suite).map((group) => {
    const found = suite.results.map((result) => figureOf(result, group));
    const title = found.find((one) => one !== null)?.metric.title ?? '';
    const cells = found.map((one) => (one === null ? '' : figureText(one.figure, one.metric).value));
    return { label: `${suite.name}, ${group}: ${title}`, cells };
  });
}

/** @param inputs of at least one conversion */
function comparisonOf(inputs: readonly ReportInputs[]): Comparison & { readonly suites: readonly SuiteOf[] } {
  const names = namesOf(inputs);
  const facts = inputs.map(factsOf);
  const rows = Object.keys(facts[0]!).map((label) => ({ label, cells: facts.map((own) => own[label]!) }));
  const { suites, notes } = suitesOf(inputs, names);
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
<p class="note">Held-out text differs between conversions of different corpora; suites ask all of them the same.</p></section>
<section id="suites"><h2>Suites</h2>${charts}</section>`;
}
