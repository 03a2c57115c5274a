/** @module Charts of the page. They follow its colours, and each comes with its data as a table. */
import * as Plot from '@observablehq/plot';
import type { Figure, FigureFormat } from '../ui/index.js';
import { type Html, html, htmlTable, trusted } from './html.js';
import { drawPlot } from './plot.js';

const CURVE_HEIGHT = 320;
const ROW_HEIGHT = 26;
const SERIES_HEIGHT = 8;
const MARGIN_LEFT = 220;

/** Colours of the page's style sheet. */
const [MODEL, SOURCE, TRAINING] = ['var(--model)', 'var(--source)', 'var(--training)'];
/** Of series that are compared; there may be more series than colours. */
const COMPARED = [MODEL, SOURCE, 'var(--third)', 'var(--fourth)', 'var(--fifth)'];

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Measurements of the model are marked points; training is a thin line. Series that are compared have a colour each. */
  readonly kind: 'measured' | 'training' | 'compared';
}

export interface Curves {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** A horizontal line to compare with. */
  readonly line: { readonly name: string; readonly y: number } | null;
}

export interface Interval {
  readonly label: string;
  readonly series: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A figure as an interval, of fractions in per cent; none if it is undetermined. */
export function intervalOf(
  names: Pick<Interval, 'label' | 'series'>,
  { value, low, high }: Figure,
  { percent }: Pick<FigureFormat, 'percent'>,
): Interval[] {
  if (value === null) return [];
  const scale = percent ? 100 : 1;
  return [{ ...names, value: scale * value, low: scale * (low ?? value), high: scale * (high ?? value) }];
}

/** The label of an axis for such intervals. */
export const unitOf = ({ title, percent }: { readonly title: string; readonly percent: boolean }): string =>
  percent ? `${title}, %` : title;

const shown = (value: number) => Number(value.toPrecision(5)).toLocaleString('en');

const drawn = (title: string, options: Plot.PlotOptions): Html => trusted(drawPlot(title, options).outerHTML);

/** A chart with its title, a legend, and its data in a table that can be opened. */
function figure(
  title: string,
  legend: readonly (readonly [name: string, colour: string])[],
  chart: Html,
  table: Html,
): Html {
  const entries = legend.map(
    ([name, colour]) => html`<li><span class="swatch" style="background:${colour}"></span>${name}</li>`,
  );
  return html`<figure>
<figcaption>${title}</figcaption>
<ul class="legend">${entries}</ul>
${chart}
<details><summary>Data</summary>${table}</details>
</figure>`;
}

const colourOf = ({ kind }: Series, index: number): string => {
  if (kind === 'compared') return COMPARED[index % COMPARED.length]!;
  return kind === 'measured' ? MODEL : TRAINING;
};

export function curveChart({ title, x, y, series, line }: Curves): Html {
  const marks = series.flatMap((one, i) => {
    const stroke = colourOf(one, i);
    const channels = { x: 'x', y: 'y', stroke };
    if (one.kind === 'training') return [Plot.line(one.points, { ...channels, strokeWidth: 1, strokeOpacity: 0.7 })];
    const title = ({ x: at, y: value }: { x: number; y: number }) => `${shown(at)}: ${shown(value)}`;
    return [
      Plot.line(one.points, { ...channels, strokeWidth: 2 }),
      Plot.dot(one.points, { ...channels, title, fill: stroke, r: 3 }),
    ];
  });
  const rule = line === null ? [] : [Plot.ruleY([line.y], { stroke: SOURCE, strokeDasharray: '4 3' })];
  const options = { height: CURVE_HEIGHT, x: { label: x, grid: true }, y: { label: y, grid: true, nice: true } };
  const rows = series.flatMap(({ name, points }) => points.map((point) => [name, shown(point.x), shown(point.y)]));
  const reference = line === null ? [] : [[`${line.name}: ${shown(line.y)}`, SOURCE] as const];
  return figure(
    title,
    [...series.map((one, i) => [one.name, colourOf(one, i)] as const), ...reference],
    drawn(title, { ...options, marks: [...rule, ...marks] }),
    htmlTable(['series', x, y], rows, ['left', 'right', 'right']),
  );
}

/** Values with intervals, one row per label. */
export function intervalChart(title: string, x: string, intervals: readonly Interval[]): Html {
  const names = [...new Set(intervals.map(({ series }) => series))];
  const labels = [...new Set(intervals.map(({ label }) => label))];
  const colourAt = (i: number) => COMPARED[i % COMPARED.length]!;
  const colour = ({ series }: Interval) => colourAt(names.indexOf(series));
  const marks = names.flatMap((name, i) => {
    const own = intervals.filter(({ series }) => series === name);
    // Series of one row stand below each other.
    const dy = (i - (names.length - 1) / 2) * SERIES_HEIGHT;
    const common = { y: 'label', dy, stroke: colour };
    return [
      Plot.link(own, { ...common, y1: 'label', y2: 'label', x1: 'low', x2: 'high', strokeWidth: 2 }),
      Plot.dot(own, {
        ...common,
        ...{ x: 'value', fill: colour, r: 3.5 },
        title: ({ value, low, high }: Interval) => `${name}: ${shown(value)} (${shown(low)} to ${shown(high)})`,
      }),
    ];
  });
  const options: Plot.PlotOptions = {
    ...{
      height: 60 + Math.max(ROW_HEIGHT, SERIES_HEIGHT * (names.length + 1)) * labels.length,
      marginLeft: MARGIN_LEFT,
    },
    x: { label: x, grid: true, nice: true },
    y: { label: null, domain: labels },
    marks,
  };
  const rows = intervals.map(({ label, series, value, low, high }) => [
    label,
    series,
    ...[value, low, high].map(shown),
  ]);
  const heads = ['task', 'model', x, '95 % from', 'to'];
  return figure(
    title,
    names.map((name, i) => [name, colourAt(i)] as const),
    drawn(title, options),
    htmlTable(heads, rows, ['left', 'left', 'right', 'right', 'right']),
  );
}
