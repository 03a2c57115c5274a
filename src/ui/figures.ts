/** @module Formats measured figures and their intervals. */
import { counted } from './format.js';

/** A figure and the interval that contains it; null where it is undetermined. */
export interface Figure {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface FigureFormat {
  readonly decimals: number;
  /** Whether it is a fraction, shown in per cent. */
  readonly percent: boolean;
}

/** Results of metrics by group, of a model and perhaps its source. */
export interface MeasuredGroups {
  readonly metrics: readonly (FigureFormat & { readonly name: string; readonly title: string })[];
  readonly groups: readonly {
    readonly group: string;
    readonly items: number;
    readonly metrics: Readonly<
      Record<string, { readonly model: Figure; readonly source: Figure | null; readonly retention: Figure | null }>
    >;
  }[];
}

/** A row of a table of results: one metric of one group. */
export interface MeasuredRow {
  /** Empty below the first row of a group, like `items`. */
  readonly group: string;
  readonly items: string;
  readonly title: string;
  readonly model: FigureText;
  readonly source: FigureText;
  readonly retention: FigureText;
}

/** How shares of a source's figures are shown. */
export const RETENTION_FORMAT: FigureFormat = { decimals: 1, percent: true };

export interface FigureText {
  readonly value: string;
  readonly interval: string;
}

/** The figure, `12.3 %`, and its interval, `10.1 to 14.5`; each may be empty. */
export function figureText(figure: Figure | null, { decimals, percent }: FigureFormat): FigureText {
  const text = (value: number) => (percent ? 100 * value : value).toFixed(decimals);
  if (figure === null || figure.value === null) return { value: '', interval: '' };
  const { value, low, high } = figure;
  const interval = low === null || high === null ? '' : `${text(low)} to ${text(high)}`;
  return { value: `${text(value)}${percent ? ' %' : ''}`, interval };
}

/** A figure with its interval in brackets. */
export const withInterval = ({ value, interval }: FigureText): string =>
  interval === '' ? value : `${value} (${interval})`;

/** The rows of a table of results, in order. */
export const measuredRows = ({ metrics, groups }: MeasuredGroups): readonly MeasuredRow[] =>
  groups.flatMap(({ group, items, metrics: found }) =>
    metrics.map((metric, i) => {
      const { model, source, retention } = found[metric.name]!;
      return {
        ...(i === 0 ? { group, items: items.toLocaleString('en') } : { group: '', items: '' }),
        title: metric.title,
        model: figureText(model, metric),
        source: figureText(source, metric),
        retention: figureText(retention, RETENTION_FORMAT),
      };
    }),
  );

/** What a reader must know of items that count for neither; nothing if there are none. */
export const unspelledSentence = ({ unspelled_count: count }: { readonly unspelled_count: number }): string[] =>
  count === 0 ? [] : [`Left out for both: ${counted(count, 'item')} that the source's tokens cannot spell.`];

/** A table of results: the heads with the alignment of their columns, and the cells. */
export function measuredTable(results: MeasuredGroups & { readonly source: unknown }, first: string) {
  const isCompared = results.source !== null;
  const cells = ({ value, interval }: FigureText) => [value, interval];
  const right = (title: string) => ({ title, align: 'right' as const });
  const left = (title: string) => ({ title, align: 'left' as const });
  const beside = isCompared ? ['source', '95 %', 'retention', '95 %'].map(right) : [];
  return {
    columns: [left(first), right('items'), left('metric'), right('model'), right('95 %'), ...beside],
    rows: measuredRows(results).map(({ group, items, title, model, source, retention }) => [
      ...[group, items, title, ...cells(model)],
      ...(isCompared ? [...cells(source), ...cells(retention)] : []),
    ]),
  };
}
